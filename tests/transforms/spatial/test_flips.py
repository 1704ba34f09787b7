"""Flips: which axes are reversed, and what the affine says of it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.drawn import uniform
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import example_sample
from vesalia.transforms.spatial.affine_sampling import read_affine
from vesalia.transforms.spatial.flips import Flips, flip, flip_back


def test_reverses_the_named_axes() -> None:
    image = example_sample((4, 3, 5))["image"]
    flipped = flip(image, Flips(torch.tensor([[True, False, True]])))
    assert torch.equal(flipped.data, image.data.flip([1, 3]))


def test_gives_the_volume_itself_where_nothing_is_reversed() -> None:
    image = example_sample((4, 3, 5))["image"]
    assert flip(image, Flips(torch.zeros(1, 3, dtype=torch.bool))) is image


def test_each_member_has_its_own_axes() -> None:
    batch = Volume(uniform(2, 1, 4, 3), channel="first", batched=True)
    flipped = flip(batch, Flips(torch.tensor([[True, False], [False, True]])))
    assert torch.equal(flipped.data[0], batch.data[0].flip(1))
    assert torch.equal(flipped.data[1], batch.data[1].flip(2))
    assert flipped.affine is None


def test_maps_say_the_same() -> None:
    batch = Volume(uniform(2, 1, 4, 3), channel="first", batched=True)
    flips = Flips(torch.tensor([[True, False], [True, True]]))
    read = read_affine(batch.data, flips.matrices((4, 3), spacing_mm=(1, 2)), size=(4, 3), mode="linear")
    assert torch.equal(read, flip(batch, flips).data)


def test_each_comes_back_to_the_affine_it_had() -> None:
    image = example_sample((4, 3, 5))["image"]
    flips = Flips(torch.tensor([[True, False, True]]))
    back = flip_back(flip(image, flips), flips, like=image)
    assert torch.equal(back.data, image.data)
    assert back.affine is image.affine


def test_keeps_channels_last() -> None:
    volume = Volume(uniform(4, 3, 2), channel="last")
    flipped = flip(volume, Flips(torch.tensor([[True, False]])))
    assert torch.equal(flipped.data, volume.data.flip(0))
    assert flipped.channel == "last"
