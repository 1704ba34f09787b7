"""The size to trace with: given, trained on, or small."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from vesalia.deploy.input_shape import choose_input_shape, spatial_axes
from vesalia.errors import ConfigError
from vesalia.inference.weights import LoadedModel


class Network(nn.Module):
    """Sizes must be multiples of 12."""

    size_divisor = 12

    def __init__(self, dims: int = 3) -> None:
        super().__init__()
        self.layer = nn.Conv3d(2, 2, 1) if dims == 3 else nn.Conv2d(2, 2, 1)


def loaded(model: nn.Module, crop: Any = None) -> LoadedModel:
    config = {"train": {"image_pipeline": {"args": {"output_crop_size": crop}}}} if crop is not None else {}
    return LoadedModel(model, {"in_channels": 2, "config": config}, Path("model"))


def test_what_is_given_is_taken() -> None:
    assert choose_input_shape(loaded(Network(), [24, 24, 24]), [2, 12, 24, 36]) == (2, 12, 24, 36)


def test_else_the_crops_it_was_trained_on() -> None:
    assert choose_input_shape(loaded(Network(), [24, 36, 48]), None) == (2, 24, 36, 48)


@pytest.mark.parametrize("crop", [None, [-1, -1, -1], [24, 24], [16, 16, 16], ["a"], 3, []])
def test_else_a_small_size_that_fits(crop: Any) -> None:
    assert choose_input_shape(loaded(Network(), crop), None) == (2, 36, 36, 36)


@pytest.mark.parametrize("given", [(2, 24, 24), (1, 24, 24, 24), (2, 24, 24, 25), (2, 0, 24, 24), ()])
def test_what_does_not_fit_is_refused(given: tuple[int, ...]) -> None:
    said = "expected 2 for the channels and 3 sizes, multiples of 12; write '2 36 36 36'"
    with pytest.raises(ConfigError, match=said):
        choose_input_shape(loaded(Network()), given)


def test_any_size_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match="and 2 sizes; write '2 32 32'"):
        choose_input_shape(loaded(nn.Conv2d(2, 2, 1)), (1, 1, 1))


@pytest.mark.parametrize("dims", [2, 3])
def test_axes_are_what_it_convolves_over(dims: int) -> None:
    assert spatial_axes(Network(dims)) == dims
