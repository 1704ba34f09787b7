"""Orders: every item once, the same for the same seed, resumable at any step."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vesalia.pipelines.order import WHOLE, Shard, epoch_order, step_count, steps

counts = st.integers(0, 40)
seeds = st.integers(0, 2**40)


@given(counts, seeds, st.integers(0, 1000), st.booleans())
def test_each_item_once_and_the_same_again(count: int, seed: int, epoch: int, shuffle: bool) -> None:
    order = epoch_order(range(count), seed=seed, epoch=epoch, shuffle=shuffle)
    assert sorted(order) == list(range(count))
    assert order == epoch_order(range(count), seed=seed, epoch=epoch, shuffle=shuffle)
    if not shuffle:
        assert order == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [
        tuple(epoch_order(range(20), seed=seed, epoch=epoch, shuffle=True)) for seed in (1, 2) for epoch in (0, 1, 2)
    ]
    assert len(set(orders)) == 6


@given(counts, st.integers(1, 12), st.integers(0, 50))
def test_steps_cover_the_order_and_resume_inside_it(count: int, batch_size: int, start: int) -> None:
    order = list(range(count))
    whole = steps(order, batch_size)
    assert [item for step in whole for item in step] == order
    assert len(whole) == step_count(count, batch_size)
    assert all(len(step) == batch_size for step in whole[:-1])
    assert steps(order, batch_size, done=start * batch_size) == whole[start:]


def test_last_partial_batch_is_kept() -> None:
    assert step_count(32, 12) == 3
    assert [len(step) for step in steps(range(32), 12)] == [12, 12, 8]


@given(st.integers(0, 40), st.integers(1, 9))
def test_the_ranks_parts_of_a_step_are_the_step_as_even_as_can_be(count: int, world: int) -> None:
    parts = [Shard(rank, world).part(range(count)) for rank in range(world)]
    assert [item for part in parts for item in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(0, 40), st.integers(1, 9))
def test_dealt_out_items_come_together_in_turn(count: int, world: int) -> None:
    dealt = [Shard(rank, world).dealt(range(count)) for rank in range(world)]
    assert [dealt[item % world][item // world] for item in range(count)] == list(range(count))


def test_one_alone_has_everything_and_the_branch_of_the_first_rank() -> None:
    assert (list(WHOLE.part(range(3))), list(WHOLE.dealt(range(3))), WHOLE.branch) == ([0, 1, 2], [0, 1, 2], ())
    assert (Shard(0, 2).branch, Shard(1, 2).branch) == ((), ("rank", 1))
