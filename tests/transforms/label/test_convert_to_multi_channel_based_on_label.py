"""ConvertToMultiChannelBasedOnLabel: conformance, and which value goes where."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.label.convert_to_multi_channel_based_on_label import ConvertToMultiChannelBasedOnLabel


class TestConvertToMultiChannelBasedOnLabel(TransformSuite):
    def make(self, dims: int) -> ConvertToMultiChannelBasedOnLabel:
        return ConvertToMultiChannelBasedOnLabel("label", labels=[2, 1])


def channels(transform: ConvertToMultiChannelBasedOnLabel) -> list[list[list[int]]]:
    sample = Sample({"label": Volume(torch.tensor([[[0, 1, 2, 9]]]), channel="first")})
    found: list[list[list[int]]] = transform.apply(sample, NOTHING)["label"].data.tolist()
    return found


def test_a_channel_per_value() -> None:
    assert channels(ConvertToMultiChannelBasedOnLabel("label", labels=[2, 1])) == [[[0, 0, 1, 0]], [[0, 1, 0, 0]]]


def test_names_stand_for_0_1_2() -> None:
    one = ConvertToMultiChannelBasedOnLabel("label", class_names=["background", "organ"])
    assert channels(one) == [[[1, 0, 0, 0]], [[0, 1, 0, 0]]]


@pytest.mark.parametrize(
    "arguments", [{}, {"labels": [1], "class_names": ["a"]}, {"labels": []}, {"labels": [1, 1]}, {"class_names": []}]
)
def test_arguments_that_say_nothing(arguments: dict[str, list[int] | list[str]]) -> None:
    with pytest.raises(ConfigError, match="found"):
        ConvertToMultiChannelBasedOnLabel("label", **arguments)  # type: ignore[arg-type]
