"""Warped windows: rotations, scales and bends, what the affine says of them, and the way back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import integers, uniform
from vesalia.imaging.resample import Mode
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.crop.warp import Warps, take_back, take_warped
from vesalia.transforms.crop.window import take
from vesalia.transforms.spatial import affine_sampling
from vesalia.transforms.spatial.affine_sampling import mapped_affine


def _warps(angles: list[float], scale: float = 1.0, *, start: tuple[int, ...] | None = None) -> Warps:
    dims = len(angles)
    starts = torch.tensor([start or (0,) * dims])
    return Warps(starts, torch.tensor([angles]), torch.tensor([scale]), torch.zeros(1, dims, *[5] * dims))


def test_no_angle_and_no_scale_is_the_window() -> None:
    maps = _warps([0.0, 0.0, 0.0], start=(4, 5, 6)).matrices((3, 3, 3), spacing_mm=(1, 2, 3))[0]
    assert torch.equal(maps[:, :3], torch.eye(3, dtype=torch.float64))
    assert maps[:, 3].tolist() == [4.0, 5.0, 6.0]


def test_rotations_are_rigid_in_millimetres() -> None:
    spacing = torch.tensor([0.7, 1.1, 3.0], dtype=torch.float64)
    matrix = _warps([0.3, -0.2, 0.5]).matrices((4, 4, 4), spacing_mm=spacing.tolist())[0, :, :3]
    in_mm = spacing[:, None] * matrix / spacing[None, :]
    assert torch.allclose(in_mm @ in_mm.T, torch.eye(3, dtype=torch.float64), atol=1e-6)
    assert torch.det(in_mm) > 0


def test_a_larger_scale_reads_a_smaller_field() -> None:
    matrix = _warps([0.0, 0.0], 2.0).matrices((4, 4), spacing_mm=(1, 1))[0, :, :2]
    assert torch.allclose(matrix, torch.eye(2, dtype=torch.float64) / 2)


def test_a_quarter_turn_in_2d() -> None:
    data, warps = uniform(1, 1, 5, 5), _warps([math.pi / 2, 0.0])
    maps = warps.matrices((5, 5), spacing_mm=(1, 1))
    turned = take_warped(data, maps, bends=warps.bends, size=(5, 5), mode="linear")
    assert torch.allclose(turned[0, 0], data[0, 0].rot90(-1), atol=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_an_identity_warp_is_the_plain_window_also_beyond_the_border(mode: Mode) -> None:
    data, warps = uniform(1, 2, 6, 5, 4), _warps([0.0, 0.0, 0.0], start=(-1, 2, 1))
    maps = warps.matrices((4, 4, 4), spacing_mm=(1, 1, 1))
    window = take_warped(data, maps, bends=warps.bends, size=(4, 4, 4), mode=mode)
    assert torch.allclose(window[0], take(data[0], (-1, 2, 1), size=(4, 4, 4)), atol=1e-5)


def test_a_window_far_outside_is_zero() -> None:
    warps = _warps([0.0, 0.0], start=(50, 50))
    maps = warps.matrices((3, 3), spacing_mm=(1, 1))
    window = take_warped(torch.ones(1, 1, 4, 4), maps, bends=warps.bends, size=(3, 3), mode="linear")
    assert not window.any()


def test_bends_move_what_is_seen() -> None:
    data = torch.arange(10.0).view(1, 1, 10, 1).expand(1, 1, 10, 10)
    warps = _warps([0.0, 0.0], start=(2, 2))
    bends = warps.bends.clone()
    bends[:, 0] = 1.5
    maps = warps.matrices((4, 4), spacing_mm=(1, 1))
    window = take_warped(data, maps, bends=bends, size=(4, 4), mode="linear")
    assert torch.allclose(window[0, 0, :, 0], torch.tensor([3.5, 4.5, 5.5, 6.5]))


def test_whole_numbers_are_interpolated_as_float_and_stay_for_nearest() -> None:
    data, warps = torch.ones(1, 1, 4, 4, dtype=torch.uint8), _warps([0.0, 0.0])
    maps = warps.matrices((2, 2), spacing_mm=(1, 1))
    types = [take_warped(data, maps, bends=warps.bends, size=(2, 2), mode=m).dtype for m in ("linear", "nearest")]
    assert types == [torch.float32, torch.uint8]


def test_the_affine_of_an_unwarped_window_is_that_of_a_crop() -> None:
    maps = _warps([0.0, 0.0, 0.0], start=(1, 2, 3)).matrices((4, 4, 5), spacing_mm=(1, 1, 1))
    affine = oblique_affine()
    assert np.allclose(mapped_affine(affine, maps[0]) @ [0, 0, 0, 1], affine @ [1, 2, 3, 1])


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, warps = uniform(1, 1, 9, 9), replace(_warps([0.3, 0.0]), bends=uniform(1, 2, 5, 5))
    maps = warps.matrices((7, 6), spacing_mm=(1, 1))

    def both() -> tuple[torch.Tensor, torch.Tensor]:
        window = take_warped(data, maps, bends=warps.bends, size=(7, 6), mode="linear")
        return window, take_back(window, maps, bends=warps.bends, shape=(9, 9), mode="linear")

    whole = both()
    monkeypatch.setattr(affine_sampling, "_SLAB_VOXELS", 20)
    assert all(torch.equal(one, other) for one, other in zip(both(), whole, strict=True))


@given(seed=st.integers(0, 999), dims=st.integers(2, 3))
def test_bent_windows_show_voxels_where_they_lay(*, seed: int, dims: int) -> None:
    """An image that says its own voxel index says it still, there and back, up to a fraction of a voxel."""
    shape, size = (20,) * dims, (14,) * dims
    axes = torch.meshgrid(*[torch.arange(20.0)] * dims, indexing="ij")
    inner = torch.zeros(shape)
    inner[(slice(1, -1),) * dims] = 1
    data = torch.stack([*axes, inner]).unsqueeze(0)
    bends = (uniform(1, dims, *[5] * dims, seed=seed) - 0.5) * 2 * 0.25 * 14 / 4
    warps = replace(_warps([0.2] * dims, 1.1, start=(3,) * dims), bends=bends)
    maps = warps.matrices(size, spacing_mm=(1.0,) * dims)
    window = take_warped(data, maps, bends=bends, size=size, mode="linear")
    back = take_back(window, maps, bends=bends, shape=shape, mode="linear")[0]
    there = (back[dims] - 1).abs() < 1e-4
    error = (back[:dims] - data[0, :dims]).norm(dim=0)[there]
    assert int(there.sum()) > 0.1 * there.numel()
    assert float(error.max()) < 1.0
    assert float(error.mean()) < 0.1


def test_of_overlapping_labels_the_last_counts_and_of_images_the_mean() -> None:
    warps = Warps(torch.tensor([[0, 0], [1, 0]]), torch.zeros(2, 2), torch.ones(2), torch.zeros(2, 2, 5, 5))
    maps = warps.matrices((2, 1), spacing_mm=(1, 1))
    crops = torch.tensor([2.0, 2.0, 4.0, 4.0]).view(2, 1, 2, 1)
    image = take_back(crops, maps, bends=warps.bends, shape=(4, 1), mode="linear")
    label = take_back(crops.to(torch.uint8), maps, bends=warps.bends, shape=(4, 1), mode="nearest")
    assert image.flatten().tolist() == [2.0, 3.0, 4.0, 0.0]
    assert label.flatten().tolist() == [2, 4, 4, 0]
    assert label.dtype == torch.uint8


def test_one_volume_serves_many_windows() -> None:
    data = integers(9, (1, 1, 6, 6)).to(torch.uint8)
    warps = Warps(torch.tensor([[0, 0], [2, 3]]), torch.zeros(2, 2), torch.ones(2), torch.zeros(2, 2, 5, 5))
    maps = warps.matrices((3, 3), spacing_mm=(1, 1))
    windows = take_warped(data, maps, bends=warps.bends, size=(3, 3), mode="nearest")
    assert torch.equal(windows[1, 0], data[0, 0, 2:5, 3:6])
