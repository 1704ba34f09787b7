"""Judging items: what is wrong is said with subject, file, field, and what to do."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pipelines.fakes import sample
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.pipelines.verify import verify

SHAPE = (1, 4, 5, 6)
IMAGE = torch.zeros(SHAPE)
LABEL = torch.ones(SHAPE)


def of_values(*values: float) -> torch.Tensor:
    label = torch.zeros(SHAPE)
    label.view(-1)[: len(values)] = torch.tensor(values)
    return label


@pytest.mark.parametrize(
    "good",
    [
        sample(image=IMAGE, label=of_values(0, 1, 2)),
        sample(image=IMAGE, label=of_values(0, 1, 2).to(torch.uint8)),
        sample(image=torch.zeros(4, 4, 5, 6), label=LABEL),
        sample(image=IMAGE.to(torch.int16), label=LABEL),
        sample(image=IMAGE, label=torch.ones(3, 4, 5, 6)),
        sample(image=IMAGE),
        sample(label=LABEL),
        Sample(name="nothing loaded"),
    ],
)
def test_good_items_pass(good: Sample) -> None:
    assert verify(good, num_classes=3) == ()


def test_shapes_that_differ() -> None:
    with pytest.raises(DataError) as caught:
        verify(sample("case_3", image=IMAGE, label=torch.ones(1, 4, 5, 7)))
    text = str(caught.value)
    for part in ("case_3_label.nii", "case_3.label", "found the shape 4 x 5 x 7", "expected 4 x 5 x 6", "write"):
        assert part in text


def test_shapes_that_differ_are_told_with_the_spacing_of_the_files() -> None:
    bad = sample("case_3", image=torch.zeros(1, 379, 3, 2), label=torch.zeros(1, 378, 3, 2))
    for name, length in (("image", 0.7421875), ("label", 0.725)):
        source = Source((Path(f"{name}.nii"),), Grid((510, 3, 2), np.diag([length, 1, 2, 1])))
        bad = bad.with_fields(**{name: replace(bad[name], source=source)})
    with pytest.raises(DataError) as caught:
        verify(bad)
    text = str(caught.value)
    assert "found the shape 378 x 3 x 2 (in the file 510 x 3 x 2 of 0.725 x 1 x 2 mm)" in text
    assert "expected 379 x 3 x 2 (in the file 510 x 3 x 2 of 0.742188 x 1 x 2 mm), as the image has it" in text
    assert "write a label drawn on this image with the spacing of its header" in text


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_voxels_that_are_not_finite(bad: float) -> None:
    with pytest.raises(DataError, match=r"case_image.nii: case.image: found 2 of 120 voxels that are NaN or infinite"):
        verify(sample(image=of_values(bad, 0, bad), label=LABEL))


@pytest.mark.parametrize(
    ("values", "classes", "words"),
    [
        ((3.0, 3.0, 7.0), 3, r"the values 3 \(2 voxels\), 7 \(1 voxels\), expected the whole numbers 0 to 2"),
        ((-1.0,), 3, r"the values -1 \(1 voxels\)"),
        ((2.0,), 1, "expected the whole numbers 0 to 1"),
        ((0.5,), 2, r"the values 0.5 \(1 voxels\), expected whole numbers; write .*is_label: true"),
        ((float("nan"),), 2, "expected whole numbers"),
        (tuple(range(2, 12)), 2, "6 .1 voxels. and 5 more"),
    ],
)
def test_label_values_that_no_class_has(values: tuple[float, ...], classes: int, words: str) -> None:
    label = of_values(*values)
    with pytest.raises(DataError, match=words):
        verify(sample(image=IMAGE, label=label), num_classes=classes)
    assert verify(sample(image=IMAGE, label=label)) == ()


def test_whole_number_types_are_judged_too() -> None:
    with pytest.raises(DataError, match="the values 9"):
        verify(sample(image=IMAGE, label=of_values(9).to(torch.int16)), num_classes=3)


def test_label_of_several_channels() -> None:
    with pytest.raises(DataError, match="found 4 channels, expected 1 channel with a class number per voxel, or 3"):
        verify(sample(image=IMAGE, label=torch.ones(4, 4, 5, 6)), num_classes=3)
    with pytest.raises(DataError, match="expected the whole numbers 0 to 1"):
        verify(sample(image=IMAGE, label=torch.full((3, 4, 5, 6), 2.0)), num_classes=3)


def test_all_faults_of_an_item_at_once() -> None:
    with pytest.raises(DataError) as caught:
        verify(sample(image=of_values(float("nan")), label=torch.full((1, 4, 5, 7), 9.0)), num_classes=3)
    assert len(caught.value.faults) == 3


def test_empty_label_is_a_warning() -> None:
    (warning,) = verify(sample("case_9", image=IMAGE, label=torch.zeros(SHAPE)), num_classes=3)
    assert "case_9.label: found no voxel above 0" in str(warning)


def test_the_file_is_told_by_the_volume_where_the_sample_has_none() -> None:
    bad = sample(image=of_values(float("nan")))
    source = Source((Path("/x/scan.nii"),), Grid((4, 5, 6), np.eye(4)))
    with pytest.raises(DataError, match=r"^/x/scan.nii: case.image"):
        verify(Sample({"image": replace(bad["image"], source=source)}, name="case"))
    with pytest.raises(DataError, match=r"^case: case.image"):
        verify(Sample(bad.fields, name="case"))


def test_label_vectors_are_judged_by_their_list() -> None:
    image = sample(image=torch.zeros(1, 4, 4))
    assert verify(image.with_fields(label=Volume(torch.tensor([7.0, 0.5]), channel="first")), num_classes=2) == ()
