"""Warped windows: rotations, scales and bends, and what the affine says of them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import torch

from tests.drawn import uniform
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.crop.warp import Warps, matrices, take_warped, warped_affine
from vesalia.transforms.crop.window import take


def _warps(angles: list[float], scale: float = 1.0) -> Warps:
    dims = len(angles)
    ones = torch.tensor([scale])
    return Warps(
        torch.zeros(1, dims, dtype=torch.int64), torch.tensor([angles]), ones, torch.zeros(1, dims, *[5] * dims)
    )


def test_no_angle_and_no_scale_is_the_identity() -> None:
    assert torch.equal(matrices(_warps([0.0, 0.0, 0.0]), (1, 2, 3))[0], torch.eye(3, dtype=torch.float64))


def test_rotations_are_rigid_in_millimetres() -> None:
    spacing = torch.tensor([0.7, 1.1, 3.0], dtype=torch.float64)
    matrix = matrices(_warps([0.3, -0.2, 0.5]), spacing.tolist())[0]
    in_mm = spacing[:, None] * matrix / spacing[None, :]
    assert torch.allclose(in_mm @ in_mm.T, torch.eye(3, dtype=torch.float64), atol=1e-6)
    assert torch.det(in_mm) > 0


def test_a_larger_scale_reads_a_smaller_field() -> None:
    assert torch.allclose(matrices(_warps([0.0, 0.0], 2.0), (1, 1))[0], torch.eye(2, dtype=torch.float64) / 2)


def test_a_quarter_turn_in_2d_is_exact() -> None:
    data = uniform(1, 5, 5)
    matrix = matrices(_warps([math.pi / 2, 0.0]), (1, 1))[0]
    turned = take_warped(data, (0, 0), size=(5, 5), matrix=matrix, bend=torch.zeros(2, 5, 5), mode="linear")
    assert torch.allclose(turned[0], data[0].rot90(-1), atol=1e-4) or torch.allclose(
        turned[0], data[0].rot90(1), atol=1e-4
    )


def test_an_identity_warp_is_the_plain_window_also_beyond_the_border() -> None:
    data, identity = uniform(2, 6, 5, 4), torch.eye(3, dtype=torch.float64)
    for mode in ("nearest", "linear"):
        window = take_warped(data, (-1, 2, 1), size=(4, 4, 4), matrix=identity, bend=torch.zeros(3, 5, 5, 5), mode=mode)
        assert torch.allclose(window, take(data, (-1, 2, 1), size=(4, 4, 4)), atol=1e-5)


def test_a_window_far_outside_is_zero() -> None:
    data = torch.ones(1, 4, 4)
    identity = torch.eye(2, dtype=torch.float64)
    window = take_warped(data, (50, 50), size=(3, 3), matrix=identity, bend=torch.zeros(2, 5, 5), mode="linear")
    assert window.tolist() == torch.zeros(1, 3, 3).tolist()


def test_bends_move_what_is_seen() -> None:
    data = torch.arange(10.0).view(1, 10, 1).expand(1, 10, 10)
    bend = torch.zeros(2, 5, 5)
    bend[0] = 1.5
    window = take_warped(data, (2, 2), size=(4, 4), matrix=torch.eye(2, dtype=torch.float64), bend=bend, mode="linear")
    assert torch.allclose(window[0, :, 0], torch.tensor([3.5, 4.5, 5.5, 6.5]))


def test_whole_numbers_are_interpolated_as_float_and_stay_for_nearest() -> None:
    data = torch.ones(1, 4, 4, dtype=torch.uint8)
    identity, bend = torch.eye(2, dtype=torch.float64), torch.zeros(2, 5, 5)
    assert take_warped(data, (0, 0), size=(2, 2), matrix=identity, bend=bend, mode="linear").dtype == torch.float32
    assert take_warped(data, (0, 0), size=(2, 2), matrix=identity, bend=bend, mode="nearest").dtype == torch.uint8


def test_the_affine_of_an_unwarped_window_is_that_of_a_crop() -> None:
    affine = oblique_affine()
    moved = warped_affine(affine, torch.eye(3, dtype=torch.float64), start=(1, 2, 3), size=(4, 4, 5))
    assert np.allclose(moved @ [0, 0, 0, 1], affine @ [1, 2, 3, 1])
