"""PlainModel: a torch.nn.Module of an archive becomes a model."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.drawn import normal
from vesalia.components.models.plain_model import PlainModel
from vesalia.registry.target import Brought
from vesalia.testing.models import ModelSuite


class Small(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(in_channels, width, 3, padding=1), nn.Conv3d(width, out_channels, 1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layers(image)
        return found


class Activated(Small):
    def __init__(self, num_classes: int, final_activation: str = "softmax") -> None:
        super().__init__(1, num_classes)
        self.final_activation = final_activation

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return super().forward(image).sigmoid()


class Open(Small):
    def __init__(self, **more: Any) -> None:
        super().__init__(1, 2)
        self.more = more


def plain(made_of: type, **arguments: Any) -> PlainModel:
    return PlainModel(Brought(made_of, "mine", Path("mine.py")), **arguments)


class TestPlainModel(ModelSuite):
    def make(self) -> PlainModel:
        return plain(Small, num_classes=3, in_channels=1, width=8, final_activation="softmax", dtype="float32")


def test_its_own_arguments_and_the_adapters_are_told_apart() -> None:
    model = plain(Small, num_classes=1, in_channels=2, data_dims=3, final_activation="sigmoid", reg_weight=0.5)
    assert (model.num_classes, model.in_channels, model.final_activation, model.reg_weight) == (1, 2, "sigmoid", 0.5)
    assert model.size_divisor == 1


def test_a_network_that_activates_is_not_activated_again() -> None:
    model = plain(Activated, num_classes=2, in_channels=1, final_activation="sigmoid")
    assert model.final_activation == "linear"
    assert isinstance(model.network, Activated)
    assert model.network.final_activation == "sigmoid"
    image = normal(1, 1, 4, 4, 4)
    assert torch.equal(model(image), model.network(image))


def test_a_constructor_that_takes_anything_gets_what_is_left() -> None:
    model = plain(Open, num_classes=2, in_channels=1, depth=3, data_format="channels_first")
    assert model.network.more == {"depth": 3}


def test_an_argument_it_does_not_take_is_its_own_to_refuse() -> None:
    with pytest.raises(TypeError, match="depth"):
        plain(Small, num_classes=2, in_channels=1, depth=3)
