"""Windows: where they begin, and what they show."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import uniform
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.testing.transforms import example_sample, oblique_affine
from vesalia.transforms.crop.window import (
    around,
    check_axes,
    check_size,
    cut,
    cut_batch,
    cut_members,
    cut_windows,
    put_back,
    put_fields_back,
    single_shape,
    take,
)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1)), min_size=2, max_size=3))
def test_a_window_shows_its_centre_and_as_much_of_the_volume_as_it_can(axes: list[tuple[int, int, float]]) -> None:
    shape, size = [axis[0] for axis in axes], [axis[1] for axis in axes]
    centre = [int(place * (whole - 1)) for whole, _, place in axes]
    for begin, middle, length, whole in zip(around(centre, size, shape=shape), centre, size, shape, strict=True):
        assert begin <= middle < begin + length
        assert min(begin + length, whole) - max(begin, 0) == min(length, whole)


@given(st.tuples(*[st.integers(1, 6)] * 3), st.tuples(*[st.integers(1, 9)] * 3), st.tuples(*[st.integers(-10, 10)] * 3))
def test_take_agrees_with_padding_everything(
    shape: tuple[int, int, int], size: tuple[int, int, int], start: tuple[int, int, int]
) -> None:
    data = uniform(2, *shape) + 1
    window = take(data, start, size=size)
    padded = torch.nn.functional.pad(data, [20] * 6)
    corner = [slice(20 + first, 20 + first + length) for first, length in zip(start, size, strict=True)]
    assert torch.equal(window, padded[:, corner[0], corner[1], corner[2]])


def test_a_window_inside_is_a_view() -> None:
    data = uniform(1, 6, 5, 4)
    assert take(data, (1, 1, 1), size=(3, 3, 3)).untyped_storage().data_ptr() == data.untyped_storage().data_ptr()


def test_around_moves_inside() -> None:
    assert around([0, 5, 9], [4, 4, 4], shape=[10, 10, 10]) == [0, 3, 6]
    assert around([0, 2], [5, 4], shape=[2, 3]) == [-1, 0]


def test_a_crop_of_a_large_volume_copies_the_crop_only() -> None:
    volume = Volume(uniform(1, 30, 30, 30), np.eye(4), "first")
    crop = cut(volume, (5, 6, 7), size=(4, 4, 4))
    assert crop.data.untyped_storage().nbytes() == 4 * 4**3
    assert crop.placed[:3, 3].tolist() == [5, 6, 7]


def test_a_batch_does_not_know_its_place() -> None:
    volume = Volume(uniform(6, 5), np.eye(4))
    crops = cut_batch(volume, torch.tensor([[0, 0], [2, 1]]), size=(3, 3))
    assert crops.batched
    assert crops.affine is None
    assert torch.equal(crops.data[1], volume.data[2:5, 1:4])


def test_channels_last_stay_last() -> None:
    volume = Volume(uniform(6, 5, 2), channel="last")
    assert torch.equal(cut(volume, (1, 1), size=(3, 2)).data, volume.data[1:4, 1:3])
    assert cut_batch(volume, torch.tensor([[1, 1]]), size=(3, 2)).data.shape == (1, 3, 2, 2)


def test_members_are_cut_one_by_one() -> None:
    batch = Volume(uniform(2, 1, 6, 5), channel="first", batched=True)
    crops = cut_members(batch, torch.tensor([[0, 0], [3, 2]]), size=(3, 3))
    assert torch.equal(crops.data[1], batch.data[1, :, 3:, 2:])


@pytest.mark.parametrize("size", [(), (3,), (3, 3, 3, 3), (3, 0)])
def test_sizes_that_are_none(size: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="size: found"):
        check_size(size)


def test_single_shape_wants_whole_volumes_that_belong_together() -> None:
    sample = example_sample((6, 5))
    assert single_shape(sample, ["image", "label"], size=(3, 3)) == (6, 5)
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        single_shape(sample, ["image"], size=(3, 3, 3))
    with pytest.raises(DataError, match="found 'label' of shape"):
        single_shape(sample.with_fields(label=example_sample((4, 5))["label"]), ["image", "label"], size=(3, 3))
    with pytest.raises(DataError, match="cut into a batch of crops already"):
        single_shape(Sample({"image": Volume(torch.zeros(2, 4, 4), batched=True)}), ["image"], size=(3, 3))


def test_one_window_or_one_of_each_member() -> None:
    single, batch = Volume(uniform(6, 5), np.eye(4)), Volume(uniform(2, 1, 6, 5), channel="first", batched=True)
    starts = torch.tensor([[0, 0], [3, 2]])
    assert torch.equal(cut_windows(single, starts, size=(3, 3)).data, single.data[:3, :3])
    assert torch.equal(cut_windows(batch, starts, size=(3, 3)).data[1], batch.data[1, :, 3:, 2:])


def test_axes_that_differ_in_number_are_refused() -> None:
    check_axes((4, 4), size=(2, 2))
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        check_axes((4, 4), size=(2, 2, 2))


@given(
    st.tuples(*[st.integers(1, 6)] * 2),
    st.tuples(*[st.integers(1, 9)] * 2),
    st.tuples(*[st.integers(-10, 10)] * 2),
    st.sampled_from(["none", "first", "last"]),
)
def test_a_window_comes_back_where_it_was_cut(
    shape: tuple[int, int], size: tuple[int, int], start: tuple[int, int], channel: ChannelAxis
) -> None:
    data = uniform(*{"none": shape, "first": (2, *shape), "last": (*shape, 2)}[channel]) + 1
    volume = Volume(data, oblique_affine(), channel)
    back = put_back(cut(volume, start, size=size), torch.tensor([start]), like=volume, mode="linear")
    first, second = (
        [low <= i < low + length for i in range(whole)] for low, length, whole in zip(start, size, shape, strict=True)
    )
    seen = torch.tensor(first)[:, None] & torch.tensor(second)[None, :]
    assert torch.equal(back.as_batch(), volume.as_batch() * seen)
    assert back.affine is volume.affine
    assert back.channel == channel


def test_where_windows_overlap_images_are_averaged_and_labels_are_the_last() -> None:
    like = Volume(torch.zeros(5, 1), np.eye(4))
    crops = Volume(torch.tensor([[[2.0], [2.0]], [[4.0], [4.0]]]), batched=True)
    starts = torch.tensor([[0, 0], [1, 0]])
    image = put_back(crops, starts, like=like, mode="linear")
    label = put_back(replace(crops, data=crops.data.to(torch.uint8)), starts, like=like, mode="nearest")
    assert image.data.flatten().tolist() == [2.0, 3.0, 4.0, 0.0, 0.0]
    assert label.data.flatten().tolist() == [2, 4, 4, 0, 0]
    assert not image.batched


def test_members_of_a_batch_come_back_each_to_its_place() -> None:
    batch = Volume(uniform(2, 1, 6, 5) + 1, channel="first", batched=True)
    starts = torch.tensor([[0, 0], [3, 2]])
    sample = Sample({"image": batch})
    cropped = Sample({"image": cut_members(batch, starts, size=(3, 3))})
    back = put_fields_back(cropped, starts, fields=["image"], like=sample)["image"]
    assert torch.equal(back.data[1, :, 3:, 2:], batch.data[1, :, 3:, 2:])
    assert int((back.data > 0).sum()) == 18
    assert back.batched
