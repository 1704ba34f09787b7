"""Where the seed comes from, and that the global dice are put back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import torch

from vesalia.mmar.sections import SEED_NAMES
from vesalia.training.determinism import choose_seed, deterministic_algorithms


@pytest.mark.parametrize(
    ("asked", "determinism", "seed"),
    [
        (7, {"random_seed": 1}, 7),
        (0, {"random_seed": 1}, 0),
        (None, {"random_seed": 123456, "tf_seed": 2}, 123456),
        (None, {"random_seed": 0}, 0),
        (None, {"random_seed": "", "numpy_seed": None, "tf_seed": "11"}, 11),
        (None, {"python_seed": 5}, 5),
        (None, {"python_seed": 5, "tf_seed": 4, "torch_seed": 3}, 3),
        (None, {"torch_seed": 3, "numpy_seed": 2}, 2),
    ],
)
def test_the_seed_asked_for_then_the_config_s_first(
    asked: int | None, determinism: Mapping[str, Any], seed: int
) -> None:
    assert choose_seed(asked, determinism) == seed


@pytest.mark.parametrize("name", SEED_NAMES)
def test_every_name_that_a_config_may_use_counts(name: str) -> None:
    assert choose_seed(None, {name: 9}) == 9


@pytest.mark.parametrize("determinism", [None, {}, {"random_seed": ""}, {"python_seed": None}])
def test_without_a_seed_each_run_gets_a_new_one(determinism: Mapping[str, Any] | None) -> None:
    seeds = {choose_seed(None, determinism) for _ in range(20)}
    assert len(seeds) > 15
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.fixture(autouse=True)
def switches_as_before() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(mode=False)


def test_deterministic_algorithms_inside_and_as_before_outside() -> None:
    with deterministic_algorithms(wanted=True):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


def test_nothing_is_switched_where_nothing_is_wanted() -> None:
    with deterministic_algorithms(wanted=False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_a_strict_caller_is_left_strict() -> None:
    torch.use_deterministic_algorithms(mode=True, warn_only=False)
    with deterministic_algorithms(wanted=False):
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()


def test_the_global_dice_are_put_back_also_after_an_error() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), deterministic_algorithms(wanted=True):
        _ = torch.rand(5).sum() / (1 // 0)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()
