"""Labels whose values come from a step behind the cache: judged as the network is given them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.fakes import data_folder
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.delivered_labels import DeliveredLabels
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.base import Deterministic, Transform
from vesalia.transforms.crop.crop_fixed_size_random_center import CropFixedSizeRandomCenter
from vesalia.transforms.crop.crop_foreground_object import CropForegroundObject
from vesalia.transforms.intensity.scale_intensity_oscillation import ScaleIntensityOscillation
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.label.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)
from vesalia.transforms.monai_transform import MonaiTransform
from vesalia.transforms.post.save_as_nifti import SaveAsNifti
from vesalia.transforms.post.threshold_values import ThresholdValues
from vesalia.transforms.spatial.random_axis_flip import RandomAxisFlip

BRATS = ConvertToMultiChannelBasedOnBratsClasses("label")
CROP = CropFixedSizeRandomCenter(["image", "label"], size=[4, 4, 4])
WHOLE = CropFixedSizeRandomCenter(["image", "label"], size=[6, 6, 6])
SCALED = ScaleIntensityRange("label", a_min=0.0, a_max=255.0)
BOX = CropForegroundObject([4, 4, 4], keep_classes=False, pert=1)
MONAIS = MonaiTransform("monai.transforms.RandFlipd", {"keys": ["image", "label"], "prob": 0.5})


class LoadBrats(Deterministic):
    """An image, and a label of BraTS."""

    def transform(self, sample: Sample) -> Sample:
        label = torch.zeros(1, 6, 6, 6, dtype=torch.uint8)
        label[0, 0, 0, :3] = torch.tensor([1, 2, 4])
        image = Volume(torch.zeros(1, 6, 6, 6), channel="first")
        return sample.with_fields(image=image, label=Volume(label, None, "first"))


class Brought(Deterministic):
    """A user's own: 255 becomes 1."""

    def __init__(self, fields: tuple[str, ...] = ("label",)) -> None:
        self.fields = fields

    def transform(self, sample: Sample) -> Sample:
        return sample


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([CROP, RandomAxisFlip(["image", "label"])], ()),
        ([CROP, BRATS], (BRATS,)),
        ([CROP, SCALED, ScaleIntensityRange("image", a_min=0.0, a_max=2.0)], (SCALED,)),
        ([CROP, ScaleIntensityOscillation("image", magnitude=0.1)], ()),
        ([BOX, CropForegroundObject([4, 4, 4])], (BOX,)),
        ([CROP, MONAIS], (MONAIS,)),
        ([CROP, Brought(("image",))], ()),
    ],
)
def test_steps_that_may_give_labels_other_values(steps: list[Transform[Any]], found: tuple[Any, ...]) -> None:
    assert DeliveredLabels(steps).steps == found


def test_a_step_without_fields_may_do_anything_and_says_so_itself() -> None:
    anything, flip = Brought(), Brought()
    del anything.fields
    flip.changes_values = False
    assert DeliveredLabels([anything, flip]).steps == (anything,)


def bound(folder: Path, steps: list[Transform[Any]], *, num_classes: int, cached: bool = False) -> BoundPipeline:
    """A pipeline over two items."""
    listed = str(data_folder(folder, 2))
    how: dict[str, Any] = {"data_list_key": "training", "output_crop_size": (4, 4, 4), "output_batch_size": 2}
    made = (
        SegmentationImagePipelineWithCache(listed, str(folder), num_cache_objects=2, replace_percent=0.0, **how)
        if cached
        else SegmentationImagePipeline(listed, str(folder), **how)
    )
    return made.bind(transforms=steps, seed=0, num_classes=num_classes)


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize(("step", "num_classes", "channels"), [(BRATS, 3, 3), (ThresholdValues("label"), 1, 1)])
def test_labels_may_be_given_their_values_after_a_crop(
    tmp_path: Path, step: Transform[Any], num_classes: int, channels: int, cached: bool
) -> None:
    with bound(tmp_path, [LoadBrats(), CROP, step], num_classes=num_classes, cached=cached) as pipeline:
        pipeline.fill()
        label = next(iter(pipeline.epoch(0))).fields["label"]
    assert label.shape[1] == channels
    assert label.max() <= 1


@pytest.mark.parametrize(
    ("steps", "num_classes", "message"),
    [
        ([CROP], 3, r"c0.label: found the values 4 \(1 voxels\), expected the whole numbers 0 to 2"),
        ([CROP, BRATS], 2, r"c0.label: found 3 channels"),
        ([WHOLE, MONAIS], 3, r"c0.label: found the values 4 \(1 voxels\), expected the whole numbers 0 to 2"),
        ([WHOLE, Brought()], 4, r"c0.label: found the values 4 \(1 voxels\), expected the whole numbers 0 to 3"),
    ],
)
def test_what_the_network_has_no_class_for_is_told_all_the_same(
    tmp_path: Path, steps: list[Transform[Any]], num_classes: int, message: str
) -> None:
    chain = [LoadBrats(), *steps]
    pipeline = bound(tmp_path, chain, num_classes=num_classes, cached=True)
    with pipeline, pytest.raises(DataError, match=message):
        pipeline.fill()


def test_looking_leaves_no_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = SaveAsNifti("label", out_dir=str(out))
    (first, *others) = DeliveredLabels([CROP, saved, BRATS]).of(LoadBrats()(Sample({}), torch.Generator()), seed=0)
    assert first.data.shape == (3, 4, 4, 4)
    assert len(others) == 2
    assert not out.exists()
