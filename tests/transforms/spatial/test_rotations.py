"""Rotations: rigid in millimetres, and quarter turns voxel onto voxel."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.transforms.spatial.rotations import QuarterTurns, Rotations, rigid_matrices


@pytest.mark.parametrize("angles", [[[0.3, -0.2, 0.5]], [[0.4]]])
def test_rigid_in_millimetres(angles: list[list[float]]) -> None:
    spacing = torch.tensor([0.7, 1.1, 3.0], dtype=torch.float64)
    matrix = rigid_matrices(torch.tensor(angles), spacing.tolist())[0]
    in_mm = spacing[:, None] * matrix / spacing[None, :]
    assert torch.allclose(in_mm @ in_mm.T, torch.eye(3, dtype=torch.float64), atol=1e-6)
    assert torch.det(in_mm) > 0


def test_each_row_has_its_own_angles() -> None:
    both = rigid_matrices(torch.tensor([[0.1, 0.2, 0.3], [0.3, 0.0, 0.1]]), (1.0, 1.0, 1.0))
    assert torch.equal(both[1:], rigid_matrices(torch.tensor([[0.3, 0.0, 0.1]]), (1.0, 1.0, 1.0)))


def test_one_angle_in_3d_turns_the_first_two_axes() -> None:
    matrix = Rotations(torch.tensor([[0.4]])).matrices((4, 4, 4), spacing_mm=(1.0, 1.0, 1.0))[0]
    assert matrix[2].tolist() == [0.0, 0.0, 1.0, 0.0]
    assert matrix[0, 1] != 0


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4)])
def test_quarter_turns_are_whole_numbers_whatever_the_spacing(shape: tuple[int, ...]) -> None:
    turns = QuarterTurns(torch.tensor([2, 2, 2, 2]), torch.tensor([0, 1, 2, 3]))
    maps = turns.matrices(shape, spacing_mm=(0.3, 1.0, 2.0)[: len(shape)])
    assert torch.equal(maps, maps.round())
    assert torch.equal(maps[0], torch.eye(len(shape), len(shape) + 1, dtype=torch.float64))
    assert (maps[1] == maps[3]).all().item() is False
