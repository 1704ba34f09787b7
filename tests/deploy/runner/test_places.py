"""Steps that change places give what the components of their names give."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import as_arrays, check, placed, volumes
from vesalia.deploy.runner.places import RestoreOriginalShape, field_names
from vesalia.deploy.runner.steps import STEPS, made
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume

SPACINGS = st.lists(st.floats(0.4, 5.0), min_size=3, max_size=3)
LINEAR = 2e-4


@pytest.mark.parametrize("fields", ["image,label", "image, label", ["image", "label"], ("image", " label")])
def test_fields_as_configs_write_them(fields: Any) -> None:
    assert field_names(fields) == ("image", "label")


@given(volumes(), st.sampled_from(["ConvertToChannelsFirst", "ConvertToChannelsLast"]))
def test_layouts(volume: Volume, name: str) -> None:
    check(name, {"fields": "image"}, Sample({"image": volume}))


@given(volumes(), st.integers(1, 3))
def test_channels_repeat(volume: Volume, times: int) -> None:
    check("RepeatChannel", {"fields": ["image"], "repeat_times": times}, Sample({"image": volume}))


@given(volumes(), SPACINGS, st.sampled_from(["image", "label", "other"]), st.sampled_from([None, False, True]))
def test_spacings(volume: Volume, spacing: list[float], name: str, is_label: bool | None) -> None:
    sample = Sample({name: volume})
    check("ScaleBySpacing", {"fields": name, "target_spacing": spacing, "is_label": is_label}, sample, atol=LINEAR)
    args = {"fields": name, "target_resolution": spacing[:1], "is_label": bool(is_label)}
    check("ScaleByResolution", args, sample, atol=LINEAR)


@given(volumes(), SPACINGS, st.booleans())
def test_labels_are_scaled_to_the_bit(volume: Volume, spacing: list[float], one: bool) -> None:
    factor: Any = spacing[0] / 2 if one else [each / 2 for each in spacing]
    check("ScaleByFactor", {"fields": "label", "factor": factor}, Sample({"label": volume}))


@given(volumes(), st.lists(st.integers(1, 14), min_size=3, max_size=3), st.booleans())
def test_shapes(volume: Volume, shape: list[int], is_label: bool) -> None:
    args = {"fields": "image", "target_shape": shape[: len(volume.spatial_shape)], "is_label": is_label}
    check("ScaleToShape", args, Sample({"image": volume}), atol=0 if is_label else LINEAR)


@given(volumes(), st.sampled_from([2, 5, [3], [4, 2, 3]]))
def test_padding(volume: Volume, divisor: Any) -> None:
    check("SymmetricPadderDiv", {"fields": "image", "div_int": divisor}, Sample({"image": volume}))


@given(volumes(), st.lists(st.integers(1, 12), min_size=3, max_size=3))
def test_the_middle(volume: Volume, size: list[int]) -> None:
    args = {"fields": "image", "size": size[: len(volume.spatial_shape)]}
    check("CropSubVolumeCenter", args, Sample({"image": volume}))


@given(volumes(dims=3, dtypes=("float32",), sourced=True), st.data())
def test_back_to_the_file(volume: Volume, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(3))
    oblique = data.draw(st.booleans())
    grid = Grid(shape, data.draw(placed(shape, oblique=oblique)))
    source = Source((), grid)
    sample = Sample({"image": Volume(torch.zeros(1, 2, 2, 2), np.eye(4), "first", source=source), "model": volume})
    is_label = data.draw(st.booleans())
    args = {"field": "model", "src_field": "image", "is_label": is_label}
    check("RestoreOriginalShape", args, sample, atol=0 if is_label else 2e-3)


@given(volumes(sourced=True), st.booleans())
def test_a_prediction_that_does_not_say_where_it_lies(volume: Volume, known: bool) -> None:
    model = Volume(volume.data.clone(), volume.affine if known else None, volume.channel)
    check("RestoreOriginalShape", {"field": "model", "src_field": "image"}, Sample({"image": volume, "model": model}))


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("ScaleToShape", {"target_shape": [3, 3]}, "expected 3 numbers"),
        ("CropSubVolumeCenter", {"size": [3, 3]}, "expected 2 spatial axes"),
        ("ScaleByFactor", {"factor": [2, 2]}, "expected one number or 3"),
    ],
)
def test_sizes_for_other_images_are_refused(name: str, args: dict[str, Any], said: str) -> None:
    sample = as_arrays(Sample({"image": Volume(torch.zeros(4, 4, 4), np.eye(4))}))
    with pytest.raises(DataError, match=said):
        made(STEPS, {"name": name, "args": {"fields": "image", **args}}, where="plan")(sample)


def test_what_came_from_no_file_has_no_way_back() -> None:
    volume = Volume(torch.zeros(1, 4, 4, 4), None, "first")
    step = RestoreOriginalShape("model", "image")
    with pytest.raises(DataError, match="was not read from a file"):
        step(as_arrays(Sample({"image": volume, "model": volume})))
    image = Volume(torch.zeros(1, 2, 2, 2), np.eye(4), "first", source=Source((), Grid((2, 2, 2), np.eye(4))))
    with pytest.raises(DataError, match="does not say where it lies"):
        step(as_arrays(Sample({"image": image, "model": volume})))
