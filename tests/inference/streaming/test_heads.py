"""The last layer: found where it looks at one voxel and its output is the network's, left alone otherwise."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.inference.streaming.nets import Net
from vesalia.inference.streaming.heads import find_head, set_aside

IMAGE = torch.zeros(1, 1, 8, 8, 8)


@pytest.mark.parametrize("dims", [2, 3])
def test_it_is_found(dims: int) -> None:
    model = Net(dims=dims).eval()
    assert find_head(model, model.logits, image=IMAGE[..., 0] if dims == 2 else IMAGE) is model.last


def test_one_that_looks_around_is_left_alone() -> None:
    model = Net(pointwise=False).eval()
    assert find_head(model, model.logits, image=IMAGE) is None


def test_one_whose_output_is_changed_is_left_alone() -> None:
    model = Net().eval()
    assert find_head(model, lambda image: model.logits(image) * 2, image=IMAGE) is None


@pytest.mark.parametrize("arguments", [{"stride": 2}, {"groups": 2}, {"padding": 1}])
def test_one_that_is_more_than_a_product_is_left_alone(arguments: dict[str, int]) -> None:
    model = nn.Sequential(nn.Conv3d(2, 4, 1, **arguments))  # type: ignore[arg-type] # numbers all
    assert find_head(model, model, image=torch.zeros(1, 2, 8, 8, 8)) is None


def test_a_network_that_refuses_the_small_image_is_left_alone() -> None:
    model = Net().eval()
    assert find_head(model, model.logits, image=torch.zeros(1, 3, 8, 8, 8)) is None


def test_set_aside_it_does_nothing_and_notes_its_input() -> None:
    model = Net(classes=7).eval()
    with set_aside(model.last) as noted:
        output = model.logits(IMAGE)
    assert output is noted.stand_in
    assert output.shape == (1, 7, 8, 8, 8)
    assert output.untyped_storage().nbytes() == 4
    assert noted.features is not None
    assert torch.equal(model.last(noted.features), model.logits(IMAGE))
    assert "forward" not in vars(model.last)
