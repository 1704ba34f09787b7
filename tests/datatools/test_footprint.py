"""Rough figures that must be right within a factor of two; the networks themselves are the measure."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.drawn import uniform
from vesalia.components.models.base import Model
from vesalia.components.models.segresnet import SegResnet
from vesalia.components.models.unet import Unet
from vesalia.datatools.footprint import activation_bytes, cached_item_bytes, weight_bytes, widths_of

UNET = {"num_classes": 3, "nf_enc": "16,32,64,64", "nf_dec": "64,64,64,32,32,16,16"}
SEGRESNET = {"num_classes": 3, "init_filters": 8, "blocks_down": "1,2,2,4", "blocks_up": "1,1,1"}


def built(name: str, args: dict[str, Any]) -> Model:
    typed: dict[str, Any] = {key: widths_of(value) if isinstance(value, str) else value for key, value in args.items()}
    return Unet(**typed) if name == "Unet" else SegResnet(**typed)


def kept_bytes(model: Model, image: torch.Tensor) -> int:
    """What autograd keeps for the way back."""
    sizes: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(image).sum().backward()
    return sum(sizes.values()) - sum(weight.nbytes for weight in model.parameters())


@pytest.mark.parametrize(("name", "args"), [("Unet", UNET), ("SegResnet", SEGRESNET)])
def test_activations_are_right_within_a_factor_of_two(name: str, args: dict[str, Any]) -> None:
    measured = kept_bytes(built(name, args), uniform(2, 1, 32, 32, 16))
    assert 0.7 < activation_bytes(name, args, crop=(32, 32, 16), batch=2) / measured < 2


@pytest.mark.parametrize(("name", "args"), [("Unet", UNET), ("SegResnet", SEGRESNET)])
def test_weights_are_right_within_a_factor_of_two(name: str, args: dict[str, Any]) -> None:
    measured = sum(weight.nbytes for weight in built(name, args).parameters())
    assert 0.7 < weight_bytes(name, args) / measured < 2


def test_activations_grow_with_crop_and_batch() -> None:
    one = activation_bytes("Unet", UNET, crop=(16, 16, 16), batch=1)
    assert activation_bytes("Unet", UNET, crop=(32, 16, 16), batch=3) == 6 * one


@pytest.mark.parametrize(("name", "args"), [("Custom", {}), ("Unet", {}), ("Unet", {"nf_enc": "8", "nf_dec": "8"})])
def test_networks_that_are_not_known_get_a_guess(name: str, args: dict[str, Any]) -> None:
    assert 1e5 < activation_bytes(name, args, crop=(16, 16, 16), batch=1) < 1e8
    assert weight_bytes(name, args) > 0


def test_a_cached_item_is_float32() -> None:
    assert cached_item_bytes((10, 10, 10), image_channels=2) == 12_000
    assert cached_item_bytes((10, 10, 10), image_channels=1, label_channels=3) == 16_000


@pytest.mark.parametrize(
    ("value", "widths"), [("1, 2,3", (1, 2, 3)), ([4, 5], (4, 5)), ((6,), (6,)), (None, ()), (7, ())]
)
def test_widths_in_all_their_forms(value: object, widths: tuple[int, ...]) -> None:
    assert widths_of(value) == widths
