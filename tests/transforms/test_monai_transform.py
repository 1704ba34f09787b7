"""MonaiTransform: conformance with several of MONAI's transforms, and what an adapter must not let through."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.monai_transform import MonaiTransform

BOTH = ["image", "label"]


def monai(name: str, **arguments: Any) -> MonaiTransform:
    return MonaiTransform(f"monai.transforms.{name}", {"keys": BOTH, **arguments})


def run(transform: MonaiTransform, sample: Sample, seed: int = 0) -> Sample:
    return transform(sample, torch.Generator().manual_seed(seed))


class TestSpacing(TransformSuite):
    changes_places = True
    takes_batch = False  # the spacing of a batch is not known

    def make(self, dims: int) -> MonaiTransform:
        arguments = {"keys": "image", "pixdim": [0.75, 0.8, 2.0][:dims], "mode": "bilinear"}
        return MonaiTransform("monai.transforms.Spacingd", arguments)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {2: (13, 6), 3: (15, 6, 5)}[len(shape)]


class TestFlip(TransformSuite):
    changes_places = True
    undoes_itself = True

    def make(self, dims: int) -> MonaiTransform:
        return monai("RandFlipd", prob=0.9, spatial_axis=0)


class TestIntensity(TransformSuite):
    def make(self, dims: int) -> MonaiTransform:
        return MonaiTransform("monai.transforms.RandScaleIntensityd", {"keys": "image", "factors": 0.5, "prob": 1.0})


class TestCrop(TransformSuite):
    changes_places = True
    makes_batch = True
    takes_batch = False

    def make(self, dims: int) -> MonaiTransform:
        return monai("RandCropByPosNegLabeld", label_key="label", spatial_size=[4] * dims, num_samples=1)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (4,) * len(shape)


def test_several_crops_make_a_batch_that_knows_no_one_place() -> None:
    crops = run(
        monai("RandCropByPosNegLabeld", label_key="label", spatial_size=[4, 4, 4], num_samples=3),
        example_sample((8, 6, 5)),
    )
    assert crops["image"].data.shape == (3, 2, 4, 4, 4)
    assert crops["label"].data.shape == (3, 1, 4, 4, 4)
    assert (crops["image"].batched, crops["image"].affine) == (True, None)


def test_a_batch_of_a_batch_is_refused() -> None:
    crop = monai("RandCropByPosNegLabeld", label_key="label", spatial_size=[4, 4, 4], num_samples=2)
    with pytest.raises(DataError, match="expected single volumes"):
        run(crop, run(crop, example_sample((8, 6, 5))))


def test_places_are_not_asked_of_crops() -> None:
    crop = monai("RandCropByPosNegLabeld", label_key="label", spatial_size=[4, 4, 4], num_samples=2)
    with pytest.raises(DataError, match="write it before the crop"):
        run(monai("Orientationd", axcodes="RAS"), run(crop, example_sample((8, 6, 5))))


def test_members_of_different_sizes_make_no_batch() -> None:
    crop = monai("RandSpatialCropSamplesd", roi_size=[2, 2, 2], num_samples=4, random_size=True)
    with pytest.raises(DataError, match="expected one shape"):
        run(crop, example_sample((8, 6, 5)))


def test_fields_that_are_not_listed_stay_and_new_ones_come() -> None:
    before = example_sample((8, 6, 5))
    after = run(MonaiTransform("monai.transforms.CopyItemsd", {"keys": "image", "times": 1, "names": "second"}), before)
    assert after["label"] is before["label"]
    assert torch.equal(after["second"].data, before["image"].data)
    np.testing.assert_allclose(after["second"].placed, before["image"].placed)


def test_values_that_are_no_images_are_not_kept() -> None:
    after = run(monai("CropForegroundd", source_key="label"), example_sample((8, 6, 5)))
    assert sorted(after.fields) == BOTH


def test_a_field_without_channels_gets_an_axis_for_those_that_are_made() -> None:
    label = Volume(torch.tensor([[[1, 2], [4, 0]]], dtype=torch.uint8), np.eye(4))
    transform = MonaiTransform("monai.transforms.ConvertToMultiChannelBasedOnBratsClassesd", {"keys": "label"})
    after = run(transform, Sample({"label": label}))["label"]
    assert (after.channel, after.data.shape) == ("first", (3, 1, 2, 2))
    assert after.data.sum(dim=(1, 2, 3)).tolist() == [2, 3, 1]


def test_a_layout_without_channels_stays_where_there_is_one() -> None:
    image = Volume(torch.rand(4, 4, 4), np.eye(4))
    after = run(MonaiTransform("monai.transforms.ScaleIntensityd", {"keys": "image"}), Sample({"image": image}))
    assert (after["image"].channel, after["image"].data.shape) == ("none", (4, 4, 4))


def test_a_volume_of_unknown_place_stays_so() -> None:
    sample = Sample({name: replace(volume, affine=None) for name, volume in example_sample((8, 6, 5)).fields.items()})
    assert run(monai("Flipd", spatial_axis=0), sample)["image"].affine is None


def test_what_has_no_voxels_is_left_out() -> None:
    sample = example_sample((8, 6, 5)).with_fields(age=Volume(torch.tensor([3.0]), channel="first"))
    assert run(monai("Flipd", spatial_axis=0), sample)["age"] is sample["age"]


def test_a_tuple_is_a_list_to_monai() -> None:
    after = run(monai("SpatialPadd", spatial_size=(9, 9, 9)), example_sample((8, 6, 5)))
    assert after["image"].spatial_shape == (9, 9, 9)


def test_it_is_called_as_monai_calls_it() -> None:
    assert monai("Flipd").called == "Flipd"


@pytest.mark.parametrize(
    ("path", "arguments", "said"),
    [
        ("os.system", {}, "expected a class below monai.transforms"),
        ("monai.transformsx.Flipd", {}, "expected a class below monai.transforms"),
        ("monai.transforms.Lambdad", {"keys": "image", "func": "x"}, "a transform of your own"),
        ("monai.transforms.LoadImageDict", {"keys": "image"}, "LoadNifti reads images"),
        ("monai.transforms.SaveImageD", {"keys": "image"}, "WriteNifti"),
        ("monai.transforms.TorchVisiond", {"keys": "image"}, "any class it is told"),
        ("monai.transforms.RandTorchIOd", {"keys": "image", "name": "RandomNoise"}, "any class it is told"),
        ("monai.transforms.CuCIMd", {"keys": "image", "name": "color_jitter"}, "any function it is told"),
        ("monai.transforms.WriteFileMappingd", {"keys": "image"}, "the record of an evaluation"),
        ("monai.transforms.Spacing", {"keys": "image"}, "write monai.transforms.Spacingd (did you mean this?)"),
        ("monai.transforms.Spacngd", {"keys": "image"}, "write monai.transforms.Spacingd (did you mean this?)"),
        ("monai.transforms.Qqq", {"keys": "image"}, "write monai.transforms.Spacingd, for one"),
        ("monai.transforms.compose.Compose", {"keys": "image"}, "expected a dictionary transform"),
        ("monai.transforms.Spacingd", {"keys": "image", "pixdims": 1}, "pixdims: found an argument that does not"),
        ("monai.transforms.Spacingd", {"keys": "image", "pixdims": 1}, "write pixdim (did you mean this?)"),
        ("monai.transforms.Spacingd", {"keys": "image", "q": 1}, "write nothing here"),
        ("monai.transforms.Spacingd", {"keys": [], "pixdim": 1}, "keys: found no fields"),
        ("monai.transforms.Spacingd", {"keys": [1], "pixdim": 1}, "keys: found no fields"),
        ("monai.transforms.Spacingd", {"pixdim": 1}, "keys: found no fields"),
        ("monai.transforms.CropForegroundd", {"keys": "image"}, "source_key"),
    ],
)
def test_what_cannot_be_made_says_why(path: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MonaiTransform(path, arguments)
    assert said in str(caught.value)
