"""Alexnet: the conformance suite in 2D and 3D, its pooling, its widths."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn

from tests.drawn import normal
from vesalia.components.models.alexnet import Alexnet
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite

SMALL = (4, 4, 8, 8, 8, 16, 16)


class TestAlexnet(ModelSuite):
    dims = 2
    classifies = True

    def make(self) -> Alexnet:
        return Alexnet(3, num_feat=SMALL, dropout_prob=0.0)


class TestAlexnetIn3DWithBatchNorm(ModelSuite):
    classifies = True
    in_channels = 2

    def make(self) -> Alexnet:
        return Alexnet(3, num_feat=SMALL, use_batch_norm=True, dropout_prob=0.0, data_dims=3, in_channels=2)


class TestAlexnetThatLooksForOneSpot(ModelSuite):
    dims = 2
    classifies = True

    def make(self) -> Alexnet:
        return Alexnet(3, num_feat=SMALL, mil=True, use_group_norm=False, dropout_prob=0.0)


def test_one_spot_is_enough() -> None:
    model = Alexnet(2, num_feat=SMALL, mil=True).eval()
    seen: list[torch.Tensor] = []
    model.classifier.register_forward_hook(lambda _, __, scores: seen.append(scores))
    found = model.logits(normal(3, 1, 96, 64))
    (places,) = seen
    assert places.shape == (3, 3 * 2, 2)
    assert torch.equal(found, places.max(dim=1).values)


@pytest.mark.parametrize(("dims", "cells"), [(2, 36), (3, 27)])
def test_dense_layers_see_a_fixed_grid(dims: Literal[2, 3], cells: int) -> None:
    model = Alexnet(2, num_feat=SMALL, data_dims=dims)
    dense = next(layer for layer in model.classifier if isinstance(layer, nn.Linear))
    assert dense.in_features == 8 * cells


def test_groups_are_clamped() -> None:
    model = Alexnet(2, num_feat=SMALL)
    assert {layer.num_groups for layer in model.modules() if isinstance(layer, nn.GroupNorm)} == {4, 8}


def test_dropout_only_in_training() -> None:
    model = Alexnet(2, num_feat=SMALL)
    image = normal(1, 1, 64, 64)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))


def test_widths_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="num_feat: found 3 widths, expected 7"):
        Alexnet(2, num_feat=(1, 2, 3))
