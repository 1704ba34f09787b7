"""ThresholdValues: conformance, and that the threshold itself is not above itself."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.post.threshold_values import ThresholdValues


class TestThresholdValues(TransformSuite):
    def make(self, dims: int) -> ThresholdValues:
        return ThresholdValues("image", threshold=1.0)

    def dtype_after(self, field: str, dtype: torch.dtype) -> torch.dtype:
        return torch.uint8


def test_above_the_threshold() -> None:
    sample = Sample({"model": Volume(torch.tensor([[0.4, 0.5, 0.6]]))})
    assert ThresholdValues("model").apply(sample, NOTHING)["model"].data.tolist() == [[0, 0, 1]]
    assert ThresholdValues("model", threshold=0.45).apply(sample, NOTHING)["model"].data.tolist() == [[0, 1, 1]]
