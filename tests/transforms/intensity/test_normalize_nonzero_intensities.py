"""NormalizeNonzeroIntensities: conformance, and what becomes of zeros."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.intensity.normalize_nonzero_intensities import NormalizeNonzeroIntensities


class TestNormalizeNonzeroIntensities(TransformSuite):
    def make(self, dims: int) -> NormalizeNonzeroIntensities:
        return NormalizeNonzeroIntensities("image")


def _normalised(data: torch.Tensor) -> torch.Tensor:
    volume = Volume(data, channel="first")
    return NormalizeNonzeroIntensities("image").apply(Sample({"image": volume}), NOTHING)["image"].data


def test_each_channel_by_its_nonzero_voxels() -> None:
    data = torch.rand(2, 9, 8, 7, generator=torch.Generator().manual_seed(0)) * 100 + 5
    data[:, :3] = 0
    done = _normalised(data)
    assert (done[:, :3] == 0).all()
    for channel in done[:, 3:]:
        assert abs(channel.mean()) < 1e-5
        assert abs(channel.std(correction=0) - 1) < 1e-5


def test_one_value_and_none() -> None:
    data = torch.zeros(2, 4, 3)
    data[0] = 7
    assert (_normalised(data) == 0).all()


def test_whole_numbers_may_come_in() -> None:
    done = _normalised(torch.tensor([[[0, 2, 4]]], dtype=torch.int16))
    assert done.tolist() == [[[0.0, -1.0, 1.0]]]
