"""CropForegroundObject: conformance, boxes by hand, empty and one-voxel labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import uniform
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.crop_foreground_object import Boxes, CropForegroundObject, foreground_boxes

SIZE = (6, 9, 7)


class TestAlwaysTheSame(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    inverts = True
    pert = 0

    def make(self, dims: int) -> CropForegroundObject:
        return CropForegroundObject(SIZE[:dims], margin=1, pert=self.pert)

    def sample(self, shape: tuple[int, ...], *, seed: int = 0) -> Sample:
        sample = example_sample(shape, seed=seed)
        label = torch.zeros(1, *shape, dtype=torch.uint8)
        box = (slice(None), *(slice(2, 4 + seed % 2) for _ in shape))
        label[box] = 2
        return sample.with_fields(label=sample["label"].from_batch(label.unsqueeze(0)))

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return SIZE[: len(shape)]


class TestPerturbed(TestAlwaysTheSame):
    pert = 2


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), max_size=4))
def test_boxes_around_voxels(voxels: list[tuple[int, int, int]]) -> None:
    mask = torch.zeros(2, 5, 6, 4, dtype=torch.bool)
    for i, j, k in voxels:
        mask[1, i, j, k] = True
    boxes = foreground_boxes(mask)
    low = [min(axis) for axis in zip(*voxels, strict=True)] or [0, 0, 0]
    high = [max(axis) + 1 for axis in zip(*voxels, strict=True)] or [5, 6, 4]
    assert (boxes.low.tolist(), boxes.high.tolist()) == ([[0, 0, 0], low], [[5, 6, 4], high])


def _cropped(label: torch.Tensor, **arguments: Any) -> Sample:
    image = torch.arange(label.numel()).view(label.shape).float()
    sample = Sample({"image": Volume(image), "label": Volume(label)})
    return CropForegroundObject(**arguments)(sample, torch.Generator().manual_seed(0))


def test_a_box_of_the_size_itself_is_cut_out_to_the_bit() -> None:
    label = torch.zeros(8, 8)
    label[2, 3] = label[4, 4] = 1
    done = _cropped(label, size=(5, 4), margin=1)
    assert torch.equal(done["image"].data, torch.arange(64.0).view(8, 8)[1:6, 2:6])
    assert torch.equal(done["label"].data, label[1:6, 2:6])


def test_one_voxel_fills_the_result() -> None:
    label = torch.zeros(8, 8)
    label[2, 3] = 3
    assert (_cropped(label, size=(4, 4))["label"].data == 3).all()


def test_without_foreground_the_whole_is_taken() -> None:
    done = _cropped(torch.zeros(8, 8), size=(8, 8), margin=2)
    assert torch.equal(done["image"].data, torch.arange(64.0).view(8, 8))


def test_the_margin_stays_inside() -> None:
    label = torch.zeros(8, 8)
    label[0, 7] = 1
    done = _cropped(label, size=(3, 3), margin=(2, 2))
    assert torch.equal(done["image"].data, torch.arange(64.0).view(8, 8)[:3, 5:])


def test_perturbed_boxes_only_grow_and_not_beyond_what_was_asked() -> None:
    label = torch.zeros(40, 30, 30, dtype=torch.uint8)
    label[15:18, 12:14, 10:20] = 1
    sample = Sample({"image": Volume(uniform(40, 30, 30)), "label": Volume(label)})
    crop = CropForegroundObject((8, 8, 8), margin=(1, 2, 3), pert=4)
    drawn = [crop.draw(sample, torch.Generator().manual_seed(seed)) for seed in range(60)]
    first = [int(boxes.low[0, 0]) for boxes in drawn]
    last = [int(boxes.high[0, 2]) for boxes in drawn]
    assert (min(first), max(first), min(last), max(last)) == (10, 14, 23, 27)


def test_it_can_be_cached_unless_it_is_perturbed() -> None:
    assert [CropForegroundObject((4, 4), pert=pert).deterministic for pert in (0, 1)] == [True, False]


def test_maps_of_boxes() -> None:
    maps = Boxes(torch.tensor([[2, 0]]), torch.tensor([[6, 3]])).matrices((4, 6))
    assert maps[0].tolist() == [[1.0, 0.0, 2.0], [0.0, 0.5, -0.25]]


@pytest.mark.parametrize(("margin", "pert"), [(-1, 0), (0, -1), ([], 0), ([1] * 4, 0)])
def test_margins_that_are_none(margin: Any, pert: int) -> None:
    with pytest.raises(ConfigError, match="margin, pert: found"):
        CropForegroundObject((4, 4), margin=margin, pert=pert)


def test_a_size_of_another_number_of_axes_is_refused() -> None:
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        CropForegroundObject((4, 4, 4))(example_sample((5, 5)), torch.Generator())


@pytest.mark.parametrize("keep", [True, False])
def test_classes_are_kept_or_become_one(keep: bool) -> None:
    label = torch.zeros(1, 6, 6, dtype=torch.uint8)
    label[0, 1:3, 1:5], label[0, 3:5, 1:5] = 2, 5
    volumes = {"image": Volume(label.float(), None, "first"), "label": Volume(label, None, "first")}
    crop = CropForegroundObject([4, 4], keep_classes=keep)
    done = crop(Sample(volumes), torch.Generator())
    assert sorted(set(done["label"].data.flatten().tolist())) == ([2, 5] if keep else [1])
    assert done["image"].data.max() == 5
    assert crop.changes_values is not keep
