"""TFScanWindowInferer: the conformance suite, windows, weights, faults."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from typing import Literal, cast

import pytest
import torch
from monai.inferers.utils import sliding_window_inference

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.testing.inferers import InfererSuite, VoxelwiseModel


class TestTFScanWindowInferer(InfererSuite):
    def make(self, dims: int) -> TFScanWindowInferer:
        return TFScanWindowInferer([8] * dims, batch_size=2)


class TestTFScanWindowInfererGaussian(InfererSuite):
    def make(self, dims: int) -> TFScanWindowInferer:
        return TFScanWindowInferer([7] * dims, overlap=0.5, mode="gaussian")


class Counting(Model):
    """Says how many windows it has seen, so that a voxel tells by whom it was judged."""

    def __init__(self) -> None:
        super().__init__(1, in_channels=1, final_activation="linear")
        self.windows = 0
        self.batches: list[int] = []

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(image))
        numbers = torch.arange(len(image)) + self.windows
        self.windows += len(image)
        return numbers.view(-1, *[1] * (image.ndim - 1)).expand(image.shape).float().clone()


def test_windows_overlap_by_their_share_and_are_averaged() -> None:
    model = Counting()
    result = TFScanWindowInferer([4, 1], overlap=0.5, mode="constant")(torch.zeros(1, 1, 8, 1), model)
    assert result.flatten().tolist() == [0, 0, 0.5, 0.5, 1.5, 1.5, 2, 2]


def test_gaussian_weighs_the_middle_of_a_window_more() -> None:
    result = TFScanWindowInferer([4, 1], overlap=0.5, mode="gaussian")(torch.zeros(1, 1, 8, 1), Counting())
    rising = result.flatten()[2:4].tolist()
    assert 0 < rising[0] < 0.5 < rising[1] < 1


def test_windows_go_in_batches() -> None:
    model = Counting()
    TFScanWindowInferer([4, 4], batch_size=3, overlap=0.0)(torch.zeros(1, 1, 16, 8), model)
    assert model.batches == [3, 3, 2]


def test_a_window_the_network_cannot_take_is_enlarged() -> None:
    model = VoxelwiseModel(size_divisor=4)
    TFScanWindowInferer([5, 8, 3])(torch.zeros(1, 1, 20, 20, 20), model)
    assert {shape[2:] for shape in model.seen} == {(8, 8, 4)}


def test_an_image_smaller_than_the_window_is_one_pass() -> None:
    model = VoxelwiseModel(size_divisor=4)
    TFScanWindowInferer([16, 16, 16])(torch.zeros(1, 1, 9, 16, 3), model)
    assert model.seen == [(1, 1, 16, 16, 16)]


def test_a_window_for_other_dimensions_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"roi_size: found \[8, 8\] .* expected 3 numbers"):
        TFScanWindowInferer([8, 8])(torch.zeros(1, 1, 8, 8, 8), VoxelwiseModel())


def test_a_window_that_never_moves_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="overlap: found 1"):
        TFScanWindowInferer([8, 8], overlap=1.0)


def test_warnings_of_the_network_are_shown() -> None:
    """None is silenced for good."""
    TFScanWindowInferer([8, 8])(torch.zeros(1, 1, 8, 8), VoxelwiseModel())
    with pytest.warns(UserWarning, match="still heard"):
        warnings.warn("still heard", UserWarning, stacklevel=1)


@pytest.mark.parametrize("mode", ["constant", "gaussian"])
@pytest.mark.parametrize("shape", [(19, 14, 23), (5, 30, 9), (21, 18)])
def test_averages_are_those_of_monai(shape: tuple[int, ...], mode: Literal["constant", "gaussian"]) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Conv3d if len(shape) == 3 else torch.nn.Conv2d
    model, window = cast("Model", layer(1, 3, 3, padding=1)), (8, 12, 8)[: len(shape)]
    image = torch.randn(2, 1, *shape)
    expected = sliding_window_inference(image, window, 4, model, overlap=0.4, mode=mode)
    assert isinstance(expected, torch.Tensor)
    model.size_divisor = 1
    found = TFScanWindowInferer(window, batch_size=3, overlap=0.4, mode=mode)(image, model)
    torch.testing.assert_close(found, expected.detach(), atol=1e-5, rtol=1e-4)
