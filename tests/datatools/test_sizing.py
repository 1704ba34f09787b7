"""The numbers of a new archive follow from the data, and fit the machine."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datatools.fingerprints import GIGABYTE, described, measured, sized
from vesalia.datatools.footprint import activation_bytes, cached_item_bytes
from vesalia.datatools.sizing import MODEL, choose_sizes


@pytest.mark.parametrize(
    ("shape", "crop"),
    [
        ((64, 64, 48), (48, 48, 32)),
        ((35, 51, 36), (32, 48, 32)),
        ((512, 512, 90), (96, 96, 80)),
        ((10, 19, 31), (16, 16, 32)),
    ],
)
def test_crops_are_four_fifths_of_the_volume_up_to_96(shape: tuple[int, ...], crop: tuple[int, ...]) -> None:
    assert sized(shape=shape, memory_bytes=64 * GIGABYTE).crop == crop


def test_spacing_is_the_median_to_three_digits() -> None:
    sizes = choose_sizes(described(), measured(spacing=(0.78515625, 0.7849, 4.99951)), memory_bytes=8 * GIGABYTE)
    assert sizes.spacing_mm == (0.785, 0.785, 5.0)


def test_axes_are_turned_where_those_of_the_data_differ() -> None:
    mixed = replace(measured(), orientations=("LPS", "RAS"))
    assert choose_sizes(described(), mixed, memory_bytes=8 * GIGABYTE).is_canonical
    assert not sized().is_canonical


@pytest.mark.parametrize(
    ("name", "mirrored"), [("Left kidney", False), ("kidney_RIGHT", False), ("spleen", True), ("lung", True)]
)
def test_what_is_told_apart_by_its_side_is_not_mirrored(name: str, mirrored: bool) -> None:
    description = replace(described(), labels={0: "background", 1: "liver", 2: name})
    assert choose_sizes(description, measured(), memory_bytes=8 * GIGABYTE).is_mirrored is mirrored


def test_ct_gets_a_window_and_mr_does_not() -> None:
    assert sized().window_hu == (-20.0, 211.0)
    assert sized(modality="MRI").window_hu is None


def test_everything_is_cached_where_there_is_room() -> None:
    sizes = sized()
    assert (sizes.cached_items, sizes.replace_percent) == (20, 0.0)
    assert sizes.cache_validation


def test_a_part_is_cached_where_there_is_less() -> None:
    item = cached_item_bytes((256, 256, 256), image_channels=1)
    sizes = sized(shape=(256, 256, 256), memory_bytes=3 * 10 * item)
    assert (sizes.cached_items, sizes.replace_percent) == (10, 0.2)
    assert not sizes.cache_validation


def test_many_crops_fit_a_large_volume() -> None:
    assert sized(shape=(300, 300, 300), memory_bytes=64 * GIGABYTE).crops_per_item == 2
    assert sized().crops_per_item == 1


def test_one_training_case_makes_batches_of_one() -> None:
    sizes = choose_sizes(described(training=1, validation=1), measured(), memory_bytes=8 * GIGABYTE)
    assert (sizes.items_per_batch, sizes.cached_items) == (1, 1)


@given(
    shape=st.tuples(*[st.integers(1, 600)] * 3),
    memory=st.integers(1, 256),
    training=st.integers(1, 400),
    channels=st.integers(1, 4),
)
def test_sizes_are_sound_for_any_data(shape: tuple[int, ...], memory: int, training: int, channels: int) -> None:
    sizes = choose_sizes(
        described(training=training), measured(shape, channels=channels), memory_bytes=memory * GIGABYTE
    )
    assert all(side % 16 == 0 and 16 <= side <= 96 for side in sizes.crop)
    batch = sizes.crops_per_item * sizes.items_per_batch
    needed = activation_bytes(MODEL, {**sizes.widths, "num_classes": 3}, crop=sizes.crop, batch=batch)
    assert needed <= memory * GIGABYTE / 3 or max(sizes.crop) == 32
    assert 1 <= sizes.items_per_batch <= max(1, sizes.cached_items) <= training
    assert sizes.epochs % sizes.epochs_per_validation == 0
    steps = sizes.epochs * ceil(sizes.cached_items / sizes.items_per_batch)
    assert steps >= 6000
    assert sizes.epochs / sizes.epochs_per_validation >= 20


@pytest.mark.parametrize(("shape", "batch"), [((35, 51, 36), 4), ((64, 64, 48), 2), ((300, 300, 300), 2)])
def test_small_crops_come_in_larger_batches(shape: tuple[int, ...], batch: int) -> None:
    sizes = sized(shape=shape, memory_bytes=64 * GIGABYTE)
    assert sizes.crops_per_item * sizes.items_per_batch == batch
