"""Reading through affine maps: exact where it can be, a map per member, and the way back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import affine_transform

from tests.drawn import integers, uniform
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.spatial import affine_sampling
from vesalia.transforms.spatial.affine_sampling import (
    about_centre,
    inverted,
    mapped_affine,
    move,
    move_back,
    places_of,
    read,
    read_affine,
)
from vesalia.transforms.spatial.rotations import Rotations, rigid_matrices

IDENTITY = torch.eye(3, 4, dtype=torch.float64).unsqueeze(0)


def _turns(*degrees: float) -> torch.Tensor:
    return rigid_matrices(torch.tensor([[math.radians(angle)] for angle in degrees]), (1.0, 1.0))


def test_the_middle_stays_in_the_middle() -> None:
    maps = about_centre(_turns(30), (7, 5), size=(9, 4))
    assert torch.allclose(maps[0] @ torch.tensor([4.0, 1.5, 1.0]).double(), torch.tensor([3.0, 2.0]).double())


def test_a_map_and_its_inverse_cancel() -> None:
    maps = about_centre(_turns(30, -80), (7, 5))
    there, back = (
        torch.cat([m, torch.tensor([[[0, 0, 1.0]]]).double().expand(2, 1, 3)], 1) for m in (maps, inverted(maps))
    )
    assert torch.allclose(there @ back, torch.eye(3, dtype=torch.float64).expand(2, 3, 3))


def test_the_identity_gives_the_data_themselves() -> None:
    data = uniform(1, 2, 4, 3, 5)
    assert read_affine(data, IDENTITY, size=(4, 3, 5), mode="linear") is data


def test_members_that_stay_are_not_resampled() -> None:
    data = uniform(3, 1, 6, 6)
    maps = about_centre(_turns(0, 20, 0), (6, 6))
    done = read_affine(data, maps, size=(6, 6), mode="linear")
    assert torch.equal(done[0], data[0])
    assert torch.equal(done[2], data[2])
    assert not torch.equal(done[1], data[1])
    assert torch.equal(done[1:2], read_affine(data[1:2], maps[1:2], size=(6, 6), mode="linear"))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_whole_numbers_are_exact_also_for_images(degrees: int) -> None:
    data = uniform(1, 1, 6, 6)
    turned = read_affine(data, about_centre(_turns(degrees), (6, 6)), size=(6, 6), mode="linear")
    assert torch.equal(turned, data.rot90(-degrees // 90, (2, 3)))


@given(seed=st.integers(0, 999), shape=st.tuples(*[st.integers(3, 8)] * 3))
def test_agrees_with_scipy_inside(*, seed: int, shape: tuple[int, int, int]) -> None:
    data = uniform(1, 1, *shape, seed=seed)
    angles = (uniform(1, 3, seed=seed + 1) - 0.5) * 0.6
    maps = about_centre(rigid_matrices(angles, (1.0, 1.2, 0.9)), shape)
    found = read_affine(data, maps, size=shape, mode="linear")[0, 0]
    matrix, offset = maps[0, :, :3].numpy(), maps[0, :, 3].numpy()
    wanted = affine_transform(data[0, 0].numpy(), matrix, offset=offset, order=1, mode="nearest")
    inside = (places_of(maps, shape)[0] >= 0).all(0) & (
        places_of(maps, shape)[0] <= torch.tensor(shape).view(3, 1, 1, 1) - 1
    ).all(0)
    assert np.allclose(found[inside].numpy(), wanted[inside.numpy()], atol=1e-4)


def test_whole_numbers_become_float_where_images_are_read_also_by_chance_at_rest() -> None:
    data = integers(9, (1, 1, 4, 4)).to(torch.int16)
    for degrees in (0, 20):
        assert read_affine(data, about_centre(_turns(degrees), (4, 4)), size=(4, 4), mode="linear").is_floating_point()
        nearest = read_affine(data, about_centre(_turns(degrees), (4, 4)), size=(4, 4), mode="nearest")
        assert nearest.dtype == torch.int16


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, maps = uniform(2, 1, 9, 8), about_centre(_turns(10, 40), (9, 8), size=(7, 6))
    whole = read_affine(data, maps, size=(7, 6), mode="linear")
    monkeypatch.setattr(affine_sampling, "_SLAB_VOXELS", 24)
    assert torch.equal(read_affine(data, maps, size=(7, 6), mode="linear"), whole)


def test_one_volume_is_read_through_several_maps() -> None:
    data, maps = uniform(1, 1, 6, 6), about_centre(_turns(10, 40), (6, 6), size=(4, 4))
    both = read_affine(data, maps, size=(4, 4), mode="linear")
    one = read_affine(data, maps[1:], size=(4, 4), mode="linear")
    assert torch.equal(both[1:], one)


def test_the_affine_follows() -> None:
    volume = Volume(uniform(5, 6, 7), oblique_affine())
    maps = about_centre(rigid_matrices(torch.tensor([[0.1, 0.2, 0.3]]), volume.spacing_mm), (5, 6, 7))
    done = read(volume, maps, mode="linear")
    voxel = np.array([1.0, 2.0, 3.0, 1.0])
    source = maps[0].numpy() @ voxel
    assert np.allclose(done.placed @ voxel, volume.placed @ [*source, 1.0])
    assert np.array_equal(mapped_affine(volume.placed, IDENTITY[0]), volume.placed)


def test_each_field_is_read_in_its_mode_and_comes_back_to_its_grid() -> None:
    image, label = (
        Volume(uniform(8, 8), oblique_affine()),
        Volume(integers(3, (8, 8)).to(torch.uint8), oblique_affine()),
    )
    sample, angles = Sample({"image": image, "label": label}), Rotations(torch.tensor([[0.2]]))
    done = move(sample, angles, modes={"image": "linear", "label": "nearest"})
    assert set(done["label"].data.unique().tolist()) <= {0, 1, 2}
    back = move_back(done, angles, modes={"image": "linear", "label": "nearest"}, like=sample)
    assert back["image"].affine is image.affine
    assert (back["image"].data - image.data)[2:-2, 2:-2].abs().max() < 0.6
