"""Volumes as NumPy images and back: values, layout, geometry and origin survive."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.transform_ctx import TransformContext
from vesalia.errors import DataError
from vesalia.imaging.array_image import context_of, sample_of
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import ChannelAxis, Sample, Source, Volume
from vesalia.testing.transforms import oblique_affine

SOURCE = Source((Path("a.nii.gz"),), Grid((9, 9, 9), oblique_affine(seed=1)), 1, 1, "int16")


def back(sample: Sample, **changed: Any) -> Sample:
    """There and back, every field looked at."""
    context = context_of(sample)
    for name in context:
        _ = context[name]
    context.update(changed)
    return sample_of(context, sample)


@given(st.sampled_from(["none", "first", "last"]), st.integers(2, 3), st.booleans())
def test_every_layout_survives(channel: ChannelAxis, dims: int, batched: bool) -> None:
    shape = [2] * batched + [3] * (channel != "none") + [4, 5, 6][:dims]
    data = torch.arange(math.prod(shape)).reshape(shape)
    affine = None if batched else oblique_affine()
    before = Volume(data, affine, channel, batched=batched, source=SOURCE)
    after = back(Sample({"image": before}))["image"]
    assert torch.equal(after.data, data)
    assert (after.channel, after.batched) == (channel, batched)
    assert np.array_equal(after.placed, before.placed)
    assert after.source is (SOURCE if dims == 3 else after.source)


def test_an_image_knows_what_v3s_did() -> None:
    affine = oblique_affine()
    context = context_of(Sample({"image": Volume(torch.zeros(1, 4, 5, 6), affine, "first", source=SOURCE)}))
    image = context.get_image("image")
    assert image.get_shape_format() == "CDHW"
    assert np.array_equal(image.get_property(ImageProperty.AFFINE), affine)
    assert image.get_property(ImageProperty.SPACING) == pytest.approx((1.5, 0.8, 2.0))
    assert image.get_property(ImageProperty.ORIGINAL_SHAPE) == (9, 9, 9)
    assert image.get_property(ImageProperty.FILENAME) == "a.nii.gz"
    bare = context_of(Sample({"image": Volume(torch.zeros(4, 5, 6))})).get_image("image")
    assert bare.get_property(ImageProperty.AFFINE) is None


def test_paths_are_texts_until_they_are_loaded() -> None:
    files = {"image": (Path("a.npy"), Path("b.npy")), "label": (Path("c.npy"),), "loaded": (Path("d.npy"),)}
    before = Sample({"loaded": Volume(torch.zeros(2, 2))}, files=files)
    context = context_of(before)
    assert (context["image"], context["label"]) == (["a.npy", "b.npy"], "c.npy")
    assert isinstance(context["loaded"], MedicalImage)
    context["label"] = "other.npy"
    after = sample_of(context, before)
    assert (set(after.fields), after.files["label"]) == ({"loaded"}, (Path("other.npy"),))
    assert after.files["image"] == files["image"]


def test_a_vector_is_an_array_and_so_is_a_list_of_numbers() -> None:
    before = Sample({"label": Volume(torch.tensor([0.0, 1.0]), channel="first")})
    assert context_of(before)["label"].tolist() == [0.0, 1.0]
    after = back(before, label=[1.0, 0.0, 1.0])["label"]
    assert (after.data.tolist(), after.spatial_shape, after.as_batch().shape) == ([1.0, 0.0, 1.0], (), (1, 3))


def test_a_bare_array_keeps_the_layout_of_its_field() -> None:
    before = Sample({"image": Volume(torch.zeros(4, 5, 6, 1), oblique_affine(), "last", source=SOURCE)})
    after = back(before, image=np.ones((4, 5, 6, 1)))["image"]
    assert (after.channel, after.source, after.data.sum().item()) == ("last", SOURCE, 120)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((2, 2)), r"found an array of shape \(2, 2\)"),
        (0.5, "found 0.5"),
        ({"a": 1}, "found {'a': 1}"),
        (np.array(["a"]), "found values of type <U1"),
    ],
)
def test_what_is_no_image_is_refused_with_what_to_write(value: object, said: str) -> None:
    with pytest.raises(DataError, match=f"field 'made': {said}, expected"):
        back(Sample(), made=value)


def test_what_a_loader_notes_is_kept() -> None:
    known = {ImageProperty.SPACING: (1, 2), ImageProperty.ORIGINAL_SHAPE: (3, 8, 9), ImageProperty.FILENAME: "z.npy"}
    image = MedicalImage(np.zeros((3, 4, 5), "float32"), "CHW", properties=known)
    after = back(Sample(), image=image)["image"]
    assert np.array_equal(after.placed, np.diag([1.0, 2.0, 1.0, 1.0]))
    assert after.source is not None
    assert (after.source.paths, after.source.grid.shape, after.source.dtype) == ((Path("z.npy"),), (8, 9), "float32")


def test_the_grid_of_the_file_may_be_noted_whole() -> None:
    known = {
        ImageProperty.AFFINE: oblique_affine(seed=2).tolist(),
        ImageProperty.ORIGINAL_AFFINE: oblique_affine(seed=3),
        ImageProperty.ORIGINAL_SHAPE: (7,),
    }
    before = Sample(files={"image": (Path("x.npy"),)})
    after = back(before, image=MedicalImage(np.zeros((4, 5, 6)), "DHW", properties=known))["image"]
    assert np.array_equal(after.placed, oblique_affine(seed=2))
    assert after.source is not None
    assert np.array_equal(after.source.grid.affine, oblique_affine(seed=3))
    assert after.source.grid.shape == (4, 5, 6)
    assert after.source.paths == (Path("x.npy"),)


def test_an_image_out_of_nowhere_has_no_source() -> None:
    assert back(Sample(), image=MedicalImage(np.zeros((4, 5)), "HW"))["image"].source is None


@pytest.mark.parametrize("affine", [np.eye(3), np.full((4, 4), np.nan)])
def test_an_affine_must_be_one(affine: np.ndarray[Any, Any]) -> None:
    image = MedicalImage(np.zeros((4, 5)), "HW", properties={ImageProperty.AFFINE: affine})
    with pytest.raises(DataError, match="expected 4 x 4 numbers, voxel index to mm in RAS"):
        back(Sample(), image=image)


@pytest.mark.parametrize(
    ("dtype", "tensor"),
    [
        ("uint16", torch.int32),
        ("uint32", torch.int64),
        ("uint64", torch.int64),
        (">f4", torch.float32),
        (">i2", torch.int16),
        ("bool", torch.bool),
        ("float16", torch.float16),
        ("longdouble", torch.float64),
    ],
)
def test_number_formats_that_tensors_lack_become_wider_ones(dtype: str, tensor: torch.dtype) -> None:
    values = np.array([[0, 1], [1, 0]], dtype=dtype)
    after = back(Sample(), image=MedicalImage(values, "HW"))["image"].data
    assert (after.dtype, after.tolist()) == (tensor, [[0, 1], [1, 0]])


def test_arrays_that_are_turned_round_or_read_only_become_tensors_all_the_same() -> None:
    values = np.arange(4.0).reshape(2, 2)
    values.flags.writeable = False
    after = back(Sample(), image=MedicalImage(values, "HW"))["image"].data
    after += 1
    assert values[0, 0] == 0
    turned = back(Sample(), image=MedicalImage(np.arange(4.0).reshape(2, 2)[::-1].T, "HW"))["image"].data
    assert turned.tolist() == [[2, 0], [3, 1]]


def test_what_custom_code_changes_in_place_is_its_own_copy() -> None:
    before = Sample({"image": Volume(torch.zeros(2, 2), oblique_affine(), source=SOURCE)})
    context = context_of(before)
    context.get_image("image").get_data()[:] = 7
    context.get_image("image").get_property(ImageProperty.AFFINE)[:] = 7
    assert before["image"].data.sum() == 0
    assert before["image"].placed[3, 3] == 1
    assert sample_of(context, before)["image"].data.sum() == 28


def test_half_precision_of_networks_is_read_as_float32() -> None:
    context = context_of(Sample({"model": Volume(torch.ones(2, 2, dtype=torch.bfloat16))}))
    assert context.get_image("model").get_data().dtype == np.float32


def test_a_context_of_its_own_making_is_read_too() -> None:
    image = MedicalImage(np.ones((2, 2)), "HW")
    assert sample_of(TransformContext({"image": image}), Sample())["image"].data.sum() == 4
    assert sample_of({"image": image}, Sample())["image"].data.sum() == 4
