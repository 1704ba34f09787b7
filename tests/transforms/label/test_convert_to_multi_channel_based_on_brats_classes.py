"""ConvertToMultiChannelBasedOnBratsClasses: conformance, and the three regions."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.label.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)


class TestConvertToMultiChannelBasedOnBratsClasses(TransformSuite):
    def make(self, dims: int) -> ConvertToMultiChannelBasedOnBratsClasses:
        return ConvertToMultiChannelBasedOnBratsClasses("label")


def regions(label: list[int], et_label: int) -> list[list[int]]:
    sample = Sample({"label": Volume(torch.tensor([label]))})
    done = ConvertToMultiChannelBasedOnBratsClasses("label", et_label=et_label).apply(sample, NOTHING)["label"]
    assert done.channel == "first"
    found: list[list[int]] = done.data[:, 0].tolist()
    return found


def test_core_whole_and_enhancing() -> None:
    expected = [[0, 1, 0, 1], [0, 1, 1, 1], [0, 0, 0, 1]]
    assert regions([0, 1, 2, 4], 4) == expected
    assert regions([0, 1, 2, 3], 3) == expected
