"""The last layer: found where it looks at one voxel and its output is the network's, left alone otherwise."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

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


def doubled_in_place(said: torch.Tensor) -> torch.Tensor:
    return said.mul_(2)


def masked_in_place(said: torch.Tensor) -> torch.Tensor:
    return said.masked_fill_(said > 0, -50)


def set_by_index(said: torch.Tensor) -> torch.Tensor:
    said[:, 0] = -50
    return said


def added_to(said: torch.Tensor) -> torch.Tensor:
    said += torch.ones_like(said)
    return said


def rectified(said: torch.Tensor) -> torch.Tensor:
    return torch.relu_(said)


def behind_torchs_back(said: torch.Tensor) -> torch.Tensor:
    said.data[:, 0] = -50
    return said


IN_PLACE = [doubled_in_place, masked_in_place, set_by_index, added_to, rectified, behind_torchs_back]


@pytest.mark.parametrize("change", IN_PLACE)
def test_one_whose_output_is_changed_in_place_is_left_alone(change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    model = Net().eval()
    with torch.no_grad():
        assert find_head(model, lambda image: change(model.logits(image)), image=IMAGE) is None


def test_one_that_is_used_twice_is_left_alone() -> None:
    model = Net(classes=4).eval()
    assert find_head(model, lambda image: model.last(model.logits(image)), image=IMAGE) is None


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
    assert noted.is_all_of(output)
    assert output.shape == (1, 7, 8, 8, 8)
    assert output.is_meta
    assert noted.features is not None
    assert torch.equal(model.last(noted.features), model.logits(IMAGE))
    assert "forward" not in vars(model.last)


def test_a_stand_in_that_was_written_into_is_not_all() -> None:
    model = Net().eval()
    with set_aside(model.last) as noted, torch.no_grad():
        assert not noted.is_all_of(doubled_in_place(model.logits(IMAGE)))


def test_a_stand_in_that_was_asked_for_twice_is_not_all() -> None:
    model = Net().eval()
    with set_aside(model.last) as noted, torch.no_grad():
        model.logits(IMAGE)
        assert not noted.is_all_of(model.logits(IMAGE))
