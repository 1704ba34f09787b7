"""CropRandomSizeWithDisplacement: conformance, sizes, places, proportions."""

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
from vesalia.transforms.crop.crop_random_size_with_displacement import CropRandomSizeWithDisplacement


class TestCropRandomSizeWithDisplacement(TransformSuite):
    changes_places = True
    takes_batch = False  # every window has its own size
    inverts = True

    def make(self, dims: int) -> CropRandomSizeWithDisplacement:
        return CropRandomSizeWithDisplacement(["image", "label"], lower_size=(4, 4, 3)[:dims], max_displacement=2)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (7, 6), (8, 6, 5): (8, 6, 4)}[shape]


def _windows(shape: tuple[int, ...], count: int = 60, **arguments: Any) -> list[tuple[list[int], list[int]]]:
    crop, sample = CropRandomSizeWithDisplacement("image", **arguments), Sample({"image": Volume(torch.zeros(shape))})
    drawn = [crop.draw(sample, torch.Generator().manual_seed(seed)) for seed in range(count)]
    return [(each.starts[0].tolist(), each.sizes[0].tolist()) for each in drawn]


@given(
    shape=st.tuples(*[st.integers(1, 20)] * 2),
    lower=st.tuples(*[st.integers(2, 30)] * 2),
    reach=st.one_of(st.none(), st.integers(0, 200)),
    keep=st.booleans(),
)
def test_windows_show_as_much_of_the_volume_as_they_can(
    *, shape: tuple[int, int], lower: tuple[int, int], reach: int | None, keep: bool
) -> None:
    found = _windows(shape, 5, lower_size=lower, max_displacement=reach, keep_aspect=keep)
    for starts, sizes in found:
        for start, size, whole, least in zip(starts, sizes, shape, lower, strict=True):
            assert size >= (1 if keep else least)
            assert min(start + size, whole) - max(start, 0) == min(size, whole)
            if reach is not None and size < whole:
                assert abs(start + size / 2 - whole / 2) <= reach + 1


def test_every_size_and_place_has_its_turn() -> None:
    found = _windows((6, 6), 400, lower_size=4)
    assert {size[0] for _, size in found} == {4, 5, 6}
    assert {start[0] for start, size in found if size[0] == 4} == {0, 1, 2}


def test_no_displacement_keeps_the_middle() -> None:
    assert {tuple(start) for start, _ in _windows((9, 9), lower_size=(5, 5), max_displacement=0, keep_aspect=True)} == {
        (2, 2),
        (1, 1),
        (0, 0),
    }


def test_keep_aspect_keeps_the_proportions_of_the_volume() -> None:
    sizes = [size for _, size in _windows((40, 20), lower_size=(10, 10), keep_aspect=True, max_displacement=200)]
    assert {size[0] - 2 * size[1] for size in sizes} <= {-1, 0, 1}
    assert min(size[1] for size in sizes) >= 10
    assert len({size[1] for size in sizes}) > 5


def test_numbers_up_to_1_are_shares_of_the_volume() -> None:
    sizes = [size for _, size in _windows((40, 20), 200, lower_size=0.5)]
    assert 20 <= min(size[0] for size in sizes) <= 22
    assert min(size[1] for size in sizes) == 10


def test_a_batch_is_refused() -> None:
    batch = Sample({"image": Volume(uniform(2, 1, 6, 6), channel="first", batched=True)})
    with pytest.raises(DataError, match="expected a whole volume"):
        CropRandomSizeWithDisplacement("image", lower_size=3)(batch, torch.Generator())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lower_size": 0}, "lower_size: found"),
        ({"lower_size": [3] * 4}, "lower_size: found"),
        ({"lower_size": 3, "max_displacement": -1}, "max_displacement: found"),
        ({"lower_size": 3, "max_displacement": []}, "max_displacement: found"),
    ],
)
def test_arguments_that_are_none(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CropRandomSizeWithDisplacement("image", **arguments)


def test_a_displacement_per_axis() -> None:
    crop = CropRandomSizeWithDisplacement("image", lower_size=(3, 3), max_displacement=(0, 1))
    assert crop(example_sample((5, 5)), torch.Generator())["image"].data.ndim == 3
