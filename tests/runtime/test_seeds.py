"""The tree of seeds: the same path gives the same seed, another path another one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.runtime.seeds import derive, generator, seed_global

seeds = st.integers(0, 2**63 - 1)
branches = st.lists(st.one_of(st.integers(0, 10_000), st.sampled_from(["epoch", "worker", "item", "weights"])))


@given(seeds, branches)
def test_a_seed_has_63_bits_and_is_a_function_of_its_path(seed: int, path: list[str | int]) -> None:
    derived = derive(seed, *path)
    assert 0 <= derived < 2**63
    assert derived == derive(seed, *path)


@given(seeds, branches, branches)
def test_different_paths_give_different_seeds(seed: int, one: list[str | int], other: list[str | int]) -> None:
    same = list(map(str, one)) == list(map(str, other))
    assert (derive(seed, *one) == derive(seed, *other)) == same


@given(seeds, seeds)
def test_different_runs_give_different_seeds(one: int, other: int) -> None:
    assert (derive(one, "epoch", 0) == derive(other, "epoch", 0)) == (one == other)


def test_the_tree_never_changes_its_shape() -> None:
    """Weights and crops of published runs hang on these numbers."""
    assert derive(0) == 4761921975702974394
    assert derive(42, "epoch", 3, "item", 7) == 841535998662044072


def test_neighbours_are_spread_over_all_bits() -> None:
    drawn = [derive(1, "epoch", epoch) for epoch in range(2000)]
    ones = [sum(value >> bit & 1 for value in drawn) / len(drawn) for bit in range(63)]
    assert min(ones) > 0.45
    assert max(ones) < 0.55


def test_a_generator_is_its_own_and_leaves_the_global_dice_alone() -> None:
    before = torch.random.get_rng_state()
    one, same, other = generator(5, "a"), generator(5, "a"), generator(5, "b")
    first = torch.rand(4, generator=one)
    assert torch.equal(first, torch.rand(4, generator=same))
    assert not torch.equal(first, torch.rand(4, generator=other))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_global_generator_gives_what_torch_s_own_seeding_gives(device: str) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    seed_global(7, device=torch.device(device))
    assert torch.equal(torch.rand(3), expected)
