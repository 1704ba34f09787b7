"""Orientation: codes, to RAS and back, for all 48 orientations, oblique and 2D."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
import torch

from tests.drawn import uniform
from tests.imaging.turned import to_orientation
from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine
from vesalia.imaging.orientation import Reorientation, axis_codes, reorient, to_canonical
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import oblique_affine

CODES = ["".join(code) for order in permutations(("LR", "PA", "IS")) for code in product(*order)]


def _affine(codes: str) -> Affine:
    start = nib.orientations.axcodes2ornt(codes)
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (world, sign) in enumerate(start):
        affine[int(world), axis] = sign * (axis + 1.5)
    affine[:3, 3] = (10, -20, 30)
    return affine


def test_there_are_48() -> None:
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("codes", CODES)
def test_canonical_and_back(codes: str) -> None:
    volume = Volume(uniform(4, 3, 2), _affine(codes))
    canonical = to_canonical(volume)
    assert axis_codes(volume.placed) == codes
    assert axis_codes(canonical.placed) == "RAS"
    wanted = nib.as_closest_canonical(nib.Nifti1Image(volume.data.numpy(), volume.placed))
    assert np.array_equal(canonical.data.numpy(), wanted.get_fdata(dtype=np.float32))
    assert np.allclose(canonical.placed, wanted.affine)
    back = to_orientation(canonical, codes)
    assert torch.equal(back.data, volume.data)
    assert np.array_equal(back.placed, volume.placed)


@pytest.mark.parametrize("seed", range(10))
def test_oblique_as_nibabel_has_it(seed: int) -> None:
    volume = Volume(uniform(2, 4, 3, 2), oblique_affine(seed=seed), "first")
    canonical = to_canonical(volume)
    wanted = nib.as_closest_canonical(nib.Nifti1Image(volume.data[0].numpy(), volume.placed))
    assert np.array_equal(canonical.data[0].numpy(), wanted.get_fdata(dtype=np.float32))
    assert np.allclose(canonical.placed, wanted.affine)
    assert axis_codes(volume.placed) == "".join(nib.aff2axcodes(volume.placed))


def test_an_orientation_and_its_inverse() -> None:
    for order in permutations(range(3)):
        for flips in ((), (0,), (0, 2), (1, 2)):
            there = Reorientation(order, flips)
            volume = Volume(uniform(4, 3, 2), np.eye(4))
            turned = reorient(volume, there)
            assert torch.equal(reorient(turned, there.inverse).data, volume.data)
            assert there.shape((4, 3, 2)) == turned.spatial_shape


def test_nothing_to_do_gives_the_volume_itself() -> None:
    volume = Volume(uniform(4, 3, 2), np.eye(4))
    assert to_canonical(volume) is volume


def test_2d_images_turn_within_their_plane() -> None:
    affine = np.array([[0, 0, 2, 5], [-1, 0, 0, 6], [0, 3, 0, 7], [0, 0, 0, 1]], dtype=float)  # a sagittal slice
    volume = Volume(uniform(4, 3), affine)
    canonical = to_canonical(volume)
    assert axis_codes(volume.placed, dims=2) == "PS"
    assert axis_codes(canonical.placed, dims=2) == "AS"
    assert torch.equal(canonical.data, volume.data.flip(0))


def test_a_volume_without_an_affine_counts_as_ras() -> None:
    volume = Volume(uniform(4, 3, 2))
    assert to_canonical(volume) is volume
    turned = reorient(volume, Reorientation((0, 1, 2), (0, 1)))
    assert turned.affine is None
    assert torch.equal(turned.data, volume.data.flip([0, 1]))


def test_a_batch_is_refused() -> None:
    with pytest.raises(DataError, match="found a batch of crops"):
        reorient(Volume(uniform(2, 4, 3), batched=True), Reorientation((0, 1), (0,)))
