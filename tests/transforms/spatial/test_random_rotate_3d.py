"""RandomRotate3D: conformance of quarter and of free turns, what keeps the size, and how often."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, cubic_sample, example_sample
from vesalia.transforms.spatial.random_rotate_3d import RandomRotate3D
from vesalia.transforms.spatial.rotations import QuarterTurns, Rotations


class TestQuarterTurns(TransformSuite):
    changes_places = True
    inverts = True

    def make(self, dims: int) -> RandomRotate3D:
        return RandomRotate3D(["image", "label"], probability=0.8)


class TestFreeTurns(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    inverts = True

    def sample(self, shape: tuple[int, ...], *, seed: int = 0) -> Sample:
        return cubic_sample(shape, seed=seed)  # a batch does not know its spacing

    def make(self, dims: int) -> RandomRotate3D:
        return RandomRotate3D(["image", "label"], probability=1.0, angle=(5, 10, 15))


def _draws(shape: tuple[int, ...], **arguments: float) -> QuarterTurns | Rotations:
    batch = Sample({"image": Volume(uniform(300, 1, *shape), channel="first", batched=True)})
    return RandomRotate3D("image", **arguments).draw(batch, torch.Generator().manual_seed(0))


def test_cubes_turn_around_every_axis_by_every_quarter() -> None:
    turns = _draws((2, 2, 2), probability=1.0)
    assert isinstance(turns, QuarterTurns)
    assert set(zip(turns.axes.tolist(), turns.turns.tolist(), strict=True)) == {
        (a, t) for a in range(3) for t in (1, 2, 3)
    }


def test_only_axes_of_one_length_change_places() -> None:
    turns = _draws((3, 2, 3), probability=1.0)
    assert isinstance(turns, QuarterTurns)
    assert set(turns.axes.tolist()) == {1}


def test_without_such_axes_it_is_half_a_turn() -> None:
    turns = _draws((2, 3, 4), probability=1.0)
    assert isinstance(turns, QuarterTurns)
    assert set(turns.turns.tolist()) == {2}
    assert set(turns.axes.tolist()) == {0, 1, 2}


def test_quarter_turns_come_back_to_the_bit() -> None:
    sample = example_sample((5, 5, 5))
    rotate = RandomRotate3D("image,label", probability=1.0)
    for seed in range(8):
        turns = rotate.draw(sample, torch.Generator().manual_seed(seed))
        done = rotate.apply(sample, turns)
        assert not torch.equal(done["image"].data, sample["image"].data)
        assert torch.equal(rotate.invert(done, turns, like=sample)["image"].data, sample["image"].data)


def test_free_turns_stay_within_what_was_asked() -> None:
    turns = _draws((2, 2, 2), probability=0.5, angle=10)
    assert isinstance(turns, Rotations)
    assert math.radians(9) < float(turns.angles.abs().max()) <= math.radians(10) + 1e-6
    assert 100 < int((turns.angles == 0).all(dim=1).sum()) < 200


def test_probability_0_gives_the_sample_as_it_is() -> None:
    sample = example_sample((5, 5, 5))
    done = RandomRotate3D(["image", "label"], probability=0.0)(sample, torch.Generator().manual_seed(0))
    assert torch.equal(done["image"].data, sample["image"].data)


def test_two_angles_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"angle: found \[1, 2\]"):
        RandomRotate3D("image", angle=(1, 2))
