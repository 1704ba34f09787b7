"""Bends: displacements between control points, and how they go along with further maps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import integers, uniform
from vesalia.imaging.resample import Mode
from vesalia.transforms.spatial import affine_sampling as module
from vesalia.transforms.spatial.affine_sampling import joined, read_affine
from vesalia.transforms.spatial.bends import Bends, read_bent


def grid(size: tuple[int, ...]) -> torch.Tensor:
    """``[1, dims, *size]`` voxel indices."""
    axes = [torch.arange(float(length), dtype=torch.float64) for length in size]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


@given(dims=st.integers(2, 3), seed=st.integers(0, 999), length=st.integers(1, 9))
def test_control_points_are_spread_from_the_first_voxel_to_the_last(dims: int, seed: int, length: int) -> None:
    size = (length, 7, 5)[:dims]
    points = uniform(2, dims, *[4] * dims, seed=seed).double()
    found = Bends.over(size, points).over_rows(size, (0, length))
    wanted = F.interpolate(points, size=size, mode=("bilinear", "trilinear")[dims - 2], align_corners=True)
    assert torch.allclose(found, wanted, atol=1e-9)


def test_axes_that_are_those_of_the_control_points_are_gone_along_one_by_one() -> None:
    """Also reversed, moved and beyond the outermost points: the same as place by place."""
    maps = torch.tensor([[[0.6, 0.0, -0.7], [0.0, -0.5, 2.6]], [[-0.3, 0.0, 2.0], [0.0, 0.0, 1.2]]]).double()
    bends = Bends(uniform(2, 2, 3, 4), maps)
    assert torch.allclose(bends.over_rows((8, 7), (2, 6)), bends.at(grid((8, 7)).expand(2, -1, -1, -1))[:, :, 2:6])


def test_beyond_the_outermost_control_points_nothing_changes() -> None:
    bends = Bends.over((5, 5), uniform(1, 2, 3, 3))
    corner = torch.tensor([0.0, 4.0], dtype=torch.float64).view(1, 2, 1, 1)
    beyond = torch.tensor([-30.0, 4.5], dtype=torch.float64).view(1, 2, 1, 1)
    assert torch.equal(bends.at(beyond), bends.at(corner))


def test_seen_through_a_map_they_are_where_the_map_leads() -> None:
    bends = Bends.over((6, 5), uniform(1, 2, 3, 3))
    maps = torch.tensor([[[0.5, 0.1, 1.0], [0.0, -1.0, 4.0]]] * 2, dtype=torch.float64)
    places = grid((6, 5))
    led = torch.einsum("bij,bjhw->bihw", maps[:1, :, :2], places) + maps[:1, :, 2, None, None]
    seen = bends.seen_through(maps)
    assert len(seen.points) == 2
    assert torch.allclose(seen.over_rows((6, 5), (0, 6))[1:], bends.at(led))
    assert torch.allclose(seen.at(places.expand(2, -1, -1, -1))[1:], bends.at(led))


def test_led_on_through_a_map_they_turn_with_it() -> None:
    bends = Bends.over((6, 5), uniform(1, 2, 3, 3))
    maps = torch.tensor([[[0.0, 2.0, 9.0], [-1.0, 0.0, 3.0]]], dtype=torch.float64)
    before, after = bends.at(grid((6, 5))), bends.led_on(maps).at(grid((6, 5)))
    assert torch.allclose(after, torch.stack([2 * before[:, 1], -before[:, 0]], dim=1))


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_level_displacements_are_a_shift(mode: Mode) -> None:
    data = integers(50, (1, 2, 6, 7, 8))
    maps = torch.eye(3, 4, dtype=torch.float64)[None]
    shift = torch.tensor([1.0, -2.0, 0.5 if mode == "linear" else 0.0], dtype=torch.float64)
    level = Bends.over((6, 7, 8), shift.view(1, 3, 1, 1, 1).expand(1, 3, 2, 2, 2))
    moved = joined(torch.cat([maps[..., :3], shift.view(1, 3, 1)], dim=2), maps)
    wanted = read_affine(data, moved, size=(6, 7, 8), mode=mode)
    assert torch.equal(read_bent(data, maps, bends=level, size=(6, 7, 8), mode=mode), wanted)


def test_slabs_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, maps = uniform(1, 1, 6, 7, 8), torch.eye(3, 4, dtype=torch.float64)[None]
    bends = Bends.over((6, 7, 8), uniform(1, 3, 3, 3, 3))
    whole = read_bent(data, maps, bends=bends, size=(6, 7, 8), mode="linear")
    monkeypatch.setattr(module, "_SLAB_VOXELS", 60)
    assert torch.equal(read_bent(data, maps, bends=bends, size=(6, 7, 8), mode="linear"), whole)


def test_some_members_have_theirs() -> None:
    bends = Bends.over((4, 4), uniform(3, 2, 3, 3))
    one = bends.members(slice(1, 2)).to(torch.device("cpu"))
    assert torch.equal(one.at(grid((4, 4))), bends.at(grid((4, 4)).expand(3, -1, -1, -1))[1:2])
