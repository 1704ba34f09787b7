"""Dice: how often, how far, and from the generator alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.transforms.parameters import between, bounds_of, chance, uniform


def test_chance_is_as_often_as_asked() -> None:
    thrown = chance(10_000, torch.Generator().manual_seed(0), probability=0.3)
    assert thrown.dtype == torch.bool
    assert abs(thrown.float().mean() - 0.3) < 0.02


def test_chance_of_0_and_1_is_certain() -> None:
    generator = torch.Generator().manual_seed(0)
    assert not chance(1000, generator, probability=0.0).any()
    assert chance(1000, generator, probability=1.0).all()


def test_uniform_fills_its_range() -> None:
    thrown = uniform((100, 100), torch.Generator().manual_seed(0), reach=2.0)
    assert thrown.shape == (100, 100)
    assert -2.0 <= thrown.min() < -1.9
    assert 1.9 < thrown.max() <= 2.0


def test_a_reach_of_0_is_0_and_still_takes_its_numbers() -> None:
    generator, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    assert not uniform((3,), generator, reach=0.0).any()
    uniform((3,), other, reach=1.0)
    assert torch.equal(generator.get_state(), other.get_state())


def test_between_fills_its_range() -> None:
    thrown = between((100, 100), torch.Generator().manual_seed(0), bounds=(1.0, 3.0))
    assert 1.0 <= thrown.min() < 1.1
    assert 2.9 < thrown.max() <= 3.0


def test_one_number_is_both_bounds() -> None:
    assert bounds_of(2, name="gamma") == (2.0, 2.0)
    assert bounds_of([0.5, 2], name="gamma", least=0.5) == (0.5, 2.0)


@pytest.mark.parametrize("value", [[], [1, 2, 3], [2, 1], -0.5, [-0.5, 1]])
def test_bounds_that_are_none(value: float | list[float]) -> None:
    with pytest.raises(
        ConfigError, match=r"gamma: found .* expected a number.* from 0 upwards; write gamma: \[0.5, 1\]"
    ):
        bounds_of(value, name="gamma", least=0.0)
