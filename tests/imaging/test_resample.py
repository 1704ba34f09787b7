"""Resampling: nearest is exact, linear is linear, fast paths agree with the free one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging import resample as module
from vesalia.imaging.geometry import (
    Affine,
    Grid,
    crop_affine,
    flip_affine,
    index_map,
    permute_affine,
    resize_affine,
)
from vesalia.imaging.resample import Mode, resample, resample_to, resize, sample_at
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import oblique_affine

SHAPE = (7, 6, 5)
SHAPES = st.tuples(*[st.integers(1, 9)] * 3)


def _freely(data: torch.Tensor, source: Grid, target: Grid, mode: Mode) -> torch.Tensor:
    """The free path, whatever the grids are."""
    matrix, offset = index_map(source, target)
    return module._resample_freely(data, matrix, offset, target.shape, mode=mode, fill=0.0)


def _values(shape: Sequence[int] = SHAPE, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("affine", [np.eye(4), oblique_affine()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.int16, torch.int64, torch.bool])
def test_nearest_on_the_same_grid_is_the_identity(affine: Affine, dtype: torch.dtype) -> None:
    data = (_values() * 255).to(dtype)
    jitter = affine + np.random.default_rng(0).normal(size=(4, 4)) * 1e-6
    jitter[3] = affine[3]
    assert torch.equal(resample(data, Grid(SHAPE, affine), target=Grid(SHAPE, jitter), mode="nearest"), data)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 0, 2)])
@pytest.mark.parametrize("flips", [(), (0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_reordered_reversed_cropped_and_padded_is_exact(
    order: tuple[int, int, int], flips: tuple[int, ...], mode: Mode
) -> None:
    data, affine = _values(), oblique_affine()
    wanted = data.permute(0, 1, *(axis + 2 for axis in order)).flip([axis + 2 for axis in flips])
    shape = tuple(wanted.shape[2:])
    turned = flip_affine(permute_affine(affine, order), flips, shape=shape)
    same = resample(data, Grid(SHAPE, affine), target=Grid(shape, turned), mode=mode)
    assert torch.allclose(same, wanted, atol=1e-6)
    padded = Grid((shape[0] + 3, shape[1], shape[2] - 2), crop_affine(turned, (-1, 0, 1)))
    done = resample(data, Grid(SHAPE, affine), target=padded, mode=mode)
    assert torch.allclose(done[:, :, 1:-2], wanted[..., 1:-1], atol=1e-6)
    assert not done[:, :, 0].any()
    assert not done[:, :, -2:].any()


def _has_tie(old: int, new: int) -> bool:
    """Whether a new centre lies on the edge of two old voxels, where either is the nearest."""
    return old != new and any((2 * k + 1) * old % (2 * new) == 0 for k in range(new))


@given(
    SHAPES, SHAPES, st.sampled_from(["nearest", "linear"]), st.sampled_from([torch.float32, torch.uint8, torch.int16])
)
def test_resize_agrees_with_the_free_path(
    old: tuple[int, int, int], new: tuple[int, int, int], mode: Mode, dtype: torch.dtype
) -> None:
    data = (_values(old) * 200).to(dtype)
    source = Grid(old, oblique_affine())
    target = Grid(new, resize_affine(source.affine, old, new_shape=new))
    fast, free = resize(data, new, mode=mode), _freely(data.float(), source, target, mode)
    if mode == "linear":
        assert torch.allclose(fast.float(), free, atol=0.02)
    elif not any(_has_tie(*sizes) for sizes in zip(old, new, strict=True)):
        assert torch.equal(fast.float(), free)
    assert torch.allclose(resample(data, source, target=target, mode=mode), fast)


@given(st.tuples(*[st.floats(0.3, 3.0)] * 3), st.tuples(*[st.floats(-6, 6)] * 3), SHAPES, st.sampled_from([1, -1]))
def test_scaled_and_shifted_grids_agree_with_the_free_path(
    scale: tuple[float, float, float], offset: tuple[float, float, float], shape: tuple[int, int, int], sign: int
) -> None:
    data, source = _values(), Grid(SHAPE, oblique_affine())
    moved = np.diag([sign * scale[0], scale[1], scale[2], 1.0])
    moved[:3, 3] = offset
    target = Grid(shape, source.affine @ moved)
    fast, free = resample(data, source, target=target, mode="linear"), _freely(data, source, target, "linear")
    assert fast.shape == (2, 3, *shape)
    assert torch.allclose(fast, free, atol=1e-3) or _near_an_edge(source, target)


def _near_an_edge(source: Grid, target: Grid) -> bool:
    """Whether a voxel lies so near the edge of the field of view that rounding decides its side."""
    matrix, offset = index_map(source, target)
    edges = [
        abs(matrix[a, a] * k + offset[a] - edge)
        for a in range(3)
        for k in range(target.shape[a])
        for edge in (-0.501, source.shape[a] - 0.499)
    ]
    return float(min(edges)) < 1e-4


def test_linear_reproduces_a_ramp_on_an_oblique_grid() -> None:
    """Values are millimetres along x; they are so on any other grid, inside."""
    source = Grid((12, 12, 12), np.diag([1.0, 1.5, 2.0, 1.0]))
    ramp = torch.arange(12.0).view(1, 1, 12, 1, 1).expand(1, 1, 12, 12, 12)
    turned = oblique_affine(seed=1) * np.array([0.5, 0.5, 0.5, 1])
    turned[:3, 3] = source.affine[:3, :3] @ [5.5, 5.5, 5.5] - turned[:3, :3] @ [1.5, 1.5, 1.5]
    done = resample(ramp, source, target=Grid((4, 4, 4), turned), mode="linear")[0, 0]
    index = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1)
    wanted = (index @ turned[:3, :3].T + turned[:3, 3])[..., 0]
    assert np.allclose(done.numpy(), wanted, atol=1e-3)


def test_nearest_on_an_oblique_grid_takes_the_nearest() -> None:
    source, target = Grid(SHAPE, np.eye(4)), Grid((3, 3, 3), oblique_affine(seed=2))
    target.affine[:3, 3] = (3.1, 2.6, 2.2)
    data = torch.arange(7 * 6 * 5).view(1, 1, *SHAPE).to(torch.int16)
    done = resample(data, source, target=target, mode="nearest")
    matrix, offset = index_map(source, target)
    for index in np.ndindex(3, 3, 3):
        place = np.floor(matrix @ index + offset + 0.5).astype(int)
        inside = all(0 <= p < s for p, s in zip(place, SHAPE, strict=True))
        assert done[0, 0][index] == (data[0, 0][tuple(place)] if inside else 0)


def test_slabs_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = Grid(SHAPE, np.eye(4)), Grid((5, 4, 3), oblique_affine(seed=2))
    target.affine[:3, 3] = (3.1, 2.6, 2.2)
    whole = resample(_values(), source, target=target, mode="linear")
    monkeypatch.setattr(module, "_SLAB_VOXELS", 13)
    assert torch.allclose(resample(_values(), source, target=target, mode="linear"), whole)


def test_fill_outside() -> None:
    source, target = Grid((2, 2), np.eye(4)), Grid((4, 2), crop_affine(np.eye(4), (-1, 0)))
    assert resample(torch.ones(1, 1, 2, 2), source, target=target, mode="linear", fill=-1)[0, 0, :, 0].tolist() == [
        -1,
        1,
        1,
        -1,
    ]
    far = Grid((2, 2), crop_affine(np.eye(4), (50, 0)))
    assert (resample(torch.ones(1, 1, 2, 2), source, target=far, mode="nearest", fill=7) == 7).all()
    oblique = Grid((3, 3, 3), oblique_affine())
    assert (
        resample(torch.ones(1, 1, *SHAPE), Grid(SHAPE, np.eye(4)), target=oblique, mode="linear", fill=7) == 7
    ).all()


def test_2d() -> None:
    data = _values((6, 5))
    grid = Grid((6, 5), oblique_affine())
    assert torch.equal(resample(data, grid, target=grid, mode="nearest"), data)
    finer = resample(
        data, grid, target=Grid((12, 5), resize_affine(grid.affine, (6, 5), new_shape=(12, 5))), mode="linear"
    )
    assert torch.allclose(finer[:, :, 0], data[:, :, 0])
    turned = grid.affine.copy()
    turned[:, 0], turned[:, 1] = (
        grid.affine[:, 0] + 0.1 * grid.affine[:, 1],
        grid.affine[:, 1] - 0.1 * grid.affine[:, 0],
    )
    assert resample(data, grid, target=Grid((6, 5), turned), mode="linear").shape == (2, 3, 6, 5)


def test_whole_numbers_become_float_only_where_they_are_interpolated() -> None:
    data, grid = torch.ones(1, 1, *SHAPE, dtype=torch.uint8), Grid(SHAPE, np.eye(4))
    assert resample(data, grid, target=grid, mode="linear").dtype == torch.float32
    assert resample(data, grid, target=grid, mode="nearest").dtype == torch.uint8
    assert resize(data, (3, 3, 3), mode="linear").dtype == torch.float32
    assert resize(data, SHAPE, mode="linear").dtype == torch.float32
    assert resize(data, SHAPE, mode="nearest") is data


def test_sample_at_places() -> None:
    data = torch.arange(12.0).view(1, 1, 3, 4)
    places = torch.tensor([[[0.0, 1.5, -0.4, 5.0]], [[0.0, 2.0, 3.4, 0.0]]])
    found = sample_at(data, places, mode="linear", fill=-1)[0, 0, 0]
    assert torch.allclose(found, torch.tensor([0.0, 8.0, 3.0, -1.0]), atol=1e-5)
    assert sample_at(data, places, mode="nearest", fill=-1)[0, 0, 0].tolist() == [0, 10, 3, -1]


def test_resample_to_moves_a_volume() -> None:
    volume = Volume(_values()[0], oblique_affine(), "first")
    target = Grid(SHAPE[::-1], permute_affine(volume.placed, (2, 1, 0)))
    done = resample_to(volume, target, mode="nearest")
    assert torch.equal(done.data, volume.data.permute(0, 3, 2, 1))
    assert done.affine is target.affine


def test_what_has_no_place_is_refused() -> None:
    grid = Grid(SHAPE, np.eye(4))
    with pytest.raises(DataError, match="found a volume without an affine"):
        resample_to(Volume(uniform(*SHAPE)), grid, mode="linear")
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        resample_to(Volume(uniform(4, 3), np.eye(4)), grid, mode="linear")
