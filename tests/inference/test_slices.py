"""Slices: whatever way a volume is stored, it is hung the same way."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tests.imaging.turned import to_orientation
from vesalia.imaging.volume import Volume
from vesalia.inference.slices import label_map, largest_extent, views

CODES = [
    "".join(letters) for order in itertools.permutations(["RL", "AP", "SI"]) for letters in itertools.product(*order)
]
AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


def case() -> tuple[Volume, Volume]:
    """A volume in RAS and a label that is off centre in every direction."""
    generator = torch.Generator().manual_seed(0)
    label = torch.zeros(10, 9, 8)
    label[6:9, 1:4, 5:7] = 1
    return Volume(torch.rand(10, 9, 8, generator=generator), AFFINE), Volume(label, AFFINE)


@pytest.mark.parametrize("codes", CODES)
def test_all_48_orientations_are_hung_alike(codes: str) -> None:
    image, label = case()
    expected = views(image, label=label)
    turned = views(to_orientation(image, codes), label=to_orientation(label, codes))
    for one, other in zip(expected, turned, strict=True):
        assert (one.plane, one.size_mm, one.marks) == (other.plane, other.size_mm, other.marks)
        assert one.label is not None
        assert other.label is not None
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.label, other.label)


def test_the_patients_right_anterior_and_superior_ends_are_left_and_on_top() -> None:
    image, label = case()
    axial, coronal, sagittal = views(image, label=label)
    assert [view.plane for view in (axial, coronal, sagittal)] == ["axial", "coronal", "sagittal"]
    assert axial.marks == ("R", "L", "A", "P")
    assert coronal.marks == ("R", "L", "S", "I")
    assert sagittal.marks == ("A", "P", "S", "I")
    assert axial.label is not None
    # The label lies to the right (i of 6 to 8 of 10) and posterior (j of 1 to 3 of 9): left half, lower half.
    rows, columns = np.nonzero(axial.label)
    assert set(columns) == {1, 2, 3}
    assert set(rows) == {5, 6, 7}
    assert coronal.label is not None
    rows, columns = np.nonzero(coronal.label)
    assert set(columns) == {1, 2, 3}
    assert set(rows) == {1, 2}


def test_sizes_follow_the_spacing() -> None:
    sizes = {view.plane: view.size_mm for view in views(case()[0])}
    assert sizes == {"axial": (18, 10), "coronal": (24, 10), "sagittal": (24, 18)}


def test_the_slice_with_most_foreground_is_taken() -> None:
    classes = np.zeros((7, 7, 7), dtype=np.int16)
    classes[2, 1:4, 3] = 1
    classes[2, 2, 5] = 2
    assert largest_extent(classes) == (2, 2, 3)
    assert largest_extent(np.zeros((7, 5, 3))) == (3, 2, 1)


def test_the_middle_of_equal_slices_is_taken() -> None:
    classes = np.zeros((9, 9, 9), dtype=np.int16)
    classes[2:7, 1:8, 3:6] = 1
    assert largest_extent(classes) == (4, 4, 4)


def test_the_prediction_leads_where_there_is_no_label() -> None:
    image, label = case()
    empty = Volume(torch.zeros(10, 9, 8), AFFINE)
    for truth in (None, empty):
        (axial, *_) = views(image, label=truth, prediction=label)
        assert axial.prediction is not None
        assert axial.prediction.any()


def test_a_label_on_another_grid_is_brought_to_the_image() -> None:
    image, label = case()
    fine = Volume(label.data.repeat_interleave(2, 0), np.array([[0.5, 0, 0, -0.25], *AFFINE[1:]]))
    one, other = views(image, label=label)[0], views(image, label=fine)[0]
    assert one.label is not None
    assert other.label is not None
    assert np.array_equal(one.label, other.label)


def test_a_mask_whose_place_is_not_known_is_left_out() -> None:
    image, _ = case()
    assert views(image, label=Volume(torch.ones(3, 3, 3)))[0].label is None


def test_a_plane_is_shown_as_it_is() -> None:
    data = torch.arange(12.0).reshape(3, 4)
    (view,) = views(Volume(data), label=Volume((data > 5).float()))
    assert view.plane == "plane"
    assert view.marks == ()
    assert np.array_equal(view.image, data.numpy())
    assert view.label is not None
    assert np.array_equal(view.label, data.numpy() > 5)


def classes_of(data: torch.Tensor) -> list[int]:
    volume = Volume(data.reshape(len(data), -1, 1, 1), channel="first")
    return [int(value) for value in label_map(volume).data.flatten()]


def test_label_maps() -> None:
    assert classes_of(torch.tensor([[0, 1, 2]], dtype=torch.uint8)) == [0, 1, 2]
    assert classes_of(torch.tensor([[0.0, 1.0, 2.0]])) == [0, 1, 2]
    assert classes_of(torch.tensor([[0.2, 0.5, 0.7]])) == [0, 0, 1]  # one sigmoid channel
    assert classes_of(torch.tensor([[0.5, 0.1], [0.3, 0.1], [0.2, 0.8]])) == [0, 2]  # softmax
    assert classes_of(torch.tensor([[0.6, 0.1, 0.2], [0.7, 0.3, 0.9]])) == [2, 0, 2]  # independent channels
