"""Dice: how often, how far, and from the generator alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.transforms.parameters import chance, uniform


def test_chance_is_as_often_as_asked() -> None:
    thrown = chance(10_000, 0.3, torch.Generator().manual_seed(0))
    assert thrown.dtype == torch.bool
    assert abs(thrown.float().mean() - 0.3) < 0.02


def test_chance_of_0_and_1_is_certain() -> None:
    generator = torch.Generator().manual_seed(0)
    assert not chance(1000, 0.0, generator).any()
    assert chance(1000, 1.0, generator).all()


def test_uniform_fills_its_range() -> None:
    thrown = uniform((100, 100), -2.0, 3.0, torch.Generator().manual_seed(0))
    assert thrown.shape == (100, 100)
    assert -2.0 <= thrown.min() < -1.9
    assert 2.9 < thrown.max() <= 3.0


def test_uniform_of_one_point_is_that_point_and_still_takes_its_numbers() -> None:
    generator, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    assert uniform((3,), 0.5, 0.5, generator).tolist() == [0.5] * 3
    uniform((3,), 0.0, 1.0, other)
    assert torch.equal(generator.get_state(), other.get_state())
