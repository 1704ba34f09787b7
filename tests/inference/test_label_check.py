"""A label that lies elsewhere or holds unknown classes judges nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.inference.label_check import require_label

SHAPE = (4, 5, 6)
FILE = Path("labels/case.nii.gz")


def volume(value: float = 0.0, *, shift_mm: float = 0.0, shape: tuple[int, ...] = SHAPE, channels: int = 1) -> Volume:
    affine = np.eye(4)
    affine[0, 3] = shift_mm
    data = torch.zeros(channels, *shape)
    data[:, 1, 2, 3] = value
    return Volume(data, affine, "first", source=Source((FILE,), Grid(shape, affine), 1, 1, "uint8"))


def subject(label: Volume) -> Sample:
    return Sample({"image": volume(), "label": label}, "case", {"label": (FILE,)})


def check(sample: Sample, *, fields: tuple[str, ...] = ("label",), num_classes: int = 3) -> None:
    require_label(sample, fields=fields, num_classes=num_classes)


def test_a_label_on_the_images_grid_with_known_classes_passes() -> None:
    check(subject(volume(2)))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (volume(shift_mm=40), "corners up to 40 mm apart"),
        (volume(shape=(4, 5, 8)), "the shape 4 x 5 x 8, expected 4 x 5 x 6"),
        (volume(3), "3 (1 voxels), expected the whole numbers 0 to 2"),
        (volume(-1), "-1 (1 voxels), expected the whole numbers 0 to 2"),
        (volume(0.5), "0.5 (1 voxels), expected whole numbers"),
    ],
)
def test_another_is_refused_with_its_file(label: Volume, said: str) -> None:
    with pytest.raises(DataError) as caught:
        check(subject(label))
    assert said in str(caught.value)
    assert str(FILE) in str(caught.value)


def test_only_what_metrics_read_as_class_numbers_is_judged() -> None:
    check(subject(volume(7)), fields=("label_class1",))
    check(subject(volume(7)), num_classes=1)
    check(subject(volume(7, channels=2)))


def test_without_a_file_of_their_own_places_are_not_compared() -> None:
    label = volume(1, shift_mm=40)
    check(subject(Volume(label.data, label.affine, "first")))
    check(Sample({"image": volume()}, "case"))
