"""Steps from probabilities to labels give what the components of their names give."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import as_arrays, check, volumes
from vesalia.deploy.runner.labels import ArgmaxAcrossChannels, CopyProperties, SplitBasedOnLabel
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume


@given(volumes(layouts=("first", "last"), least_channels=2))
def test_the_largest_channel(volume: Volume) -> None:
    check("ArgmaxAcrossChannels", {"fields": "model"}, Sample({"model": volume}))


def test_more_classes_than_a_byte_holds() -> None:
    volume = Volume(torch.rand(300, 2, 2, 2), np.eye(4), "first")
    check("ArgmaxAcrossChannels", {"fields": "model"}, Sample({"model": volume}))


def test_one_channel_has_no_largest() -> None:
    sample = as_arrays(Sample({"model": Volume(torch.zeros(1, 2, 2), np.eye(4), "first")}))
    with pytest.raises(DataError, match="found 1 channel, expected a channel per class"):
        ArgmaxAcrossChannels("model")(sample)


@given(volumes(), st.floats(-5, 5))
def test_thresholds(volume: Volume, threshold: float) -> None:
    check("ThresholdValues", {"fields": ["model"], "threshold": threshold}, Sample({"model": volume}))


@given(volumes(layouts=("none",), dtypes=("uint8", "int16")))
def test_a_field_per_label(volume: Volume) -> None:
    args = {"field": "model", "label_names": ["none", "one", "two"]}
    check("SplitBasedOnLabel", args, Sample({"model": volume}))


def test_several_channels_are_no_label_map() -> None:
    sample = as_arrays(Sample({"model": Volume(torch.zeros(2, 2, 2), np.eye(4), "first")}))
    with pytest.raises(DataError, match="found 'model' with 2 channels"):
        SplitBasedOnLabel("model", ["a"])(sample)


@given(volumes(dtypes=("uint8",)), st.sampled_from([None, [1], [1, 2, 9]]))
def test_the_largest_piece(volume: Volume, applied: list[int] | None) -> None:
    few = Volume(volume.data % 3, volume.affine, volume.channel)
    check("KeepLargestCC", {"fields": "model", "applied_labels": applied}, Sample({"model": few}))


@given(volumes(sourced=True), st.sampled_from(["affine", ["affine", "source"], ["filename"], ["spacing"]]))
def test_properties(volume: Volume, properties: str | list[str]) -> None:
    model = Volume(volume.data.clone(), None, volume.channel)
    args = {"fields": "model", "from_field": "image", "properties": properties}
    check("CopyProperties", args, Sample({"image": volume, "model": model}))


def test_properties_go_by_the_grid_of_the_file() -> None:
    file = Grid((4, 4, 4), np.diag([2.0, 2, 2, 1]))
    image = Volume(torch.zeros(1, 8, 8, 8), np.eye(4), "first", source=Source((), file))
    args = {"fields": "model", "from_field": "image"}
    for affine in (file.affine, None):
        model = Volume(torch.zeros(1, 4, 4, 4), affine, "first")
        check("CopyProperties", args, Sample({"image": image, "model": model}))
    lost = Volume(torch.zeros(1, 3, 4, 4), None, "first")
    with pytest.raises(DataError, match="copy the affine between fields on the same grid"):
        CopyProperties("model", "image")(as_arrays(Sample({"image": image, "model": lost})))
