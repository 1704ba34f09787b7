"""One pass equals the steps one by one, on random windows, flips and rules."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.volume import Volume
from vesalia.transforms.crop.window import take
from vesalia.transforms.fusion.passes import write
from vesalia.transforms.fusion.pending import Pending

SHAPE = (5, 6, 7)


def data(dtype: torch.dtype) -> torch.Tensor:
    """Two channels of different numbers."""
    return torch.arange(2 * 5 * 6 * 7).view(2, *SHAPE).remainder(101).to(dtype)


def one_by_one(source: torch.Tensor, start: list[int], size: list[int], axes: list[bool]) -> torch.Tensor:
    """Cut, then reverse."""
    return take(source, start, size=size).flip([axis + 1 for axis, reverse in enumerate(axes) if reverse])


@given(
    starts=st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=3),
    size=st.tuples(*[st.integers(1, 8)] * 3),
    axes=st.tuples(*[st.booleans()] * 3),
    dtype=st.sampled_from([torch.uint8, torch.int16, torch.float32, torch.float16, torch.bfloat16]),
)
def test_windows_and_flips_are_exact(
    starts: list[tuple[int, int, int]], size: tuple[int, int, int], axes: tuple[bool, bool, bool], dtype: torch.dtype
) -> None:
    pending = Pending.of(Volume(data(dtype), None, "first")).cut(torch.tensor(starts), size, batched=True)
    pending = pending.flipped(torch.tensor([axes] * len(starts)))
    out = torch.full((len(starts), 2, *size), 77, dtype=dtype)
    write(pending, out)
    wanted = torch.stack([one_by_one(data(dtype), list(start), list(size), list(axes)) for start in starts])
    assert torch.equal(out, wanted)


@pytest.mark.parametrize("dtype", [torch.int16, torch.float32, torch.float16])
@pytest.mark.parametrize("start", [[1, 1, 1], [-2, 3, 4]])
def test_scaling_covers_the_border_too(dtype: torch.dtype, start: list[int]) -> None:
    """What stands outside is 0 at the cut, and goes through all that comes after it."""
    pending = Pending.of(Volume(data(dtype), None, "first")).scaled(0.5, 10.0)
    cut = pending.cut(torch.tensor([start]), (4, 4, 4), batched=True)
    later = cut.scaled(torch.tensor([[2.0, 3.0]]), torch.tensor([[1.0, -1.0]])).clamped(-0.5, 40.0)
    out = torch.empty(1, 2, 4, 4, 4, dtype=later.dtype)
    write(later, out)
    plain = take(data(dtype).float() * 0.5 + 10.0, start, size=[4, 4, 4])
    factor, shift = (torch.tensor(pair).view(2, 1, 1, 1) for pair in ([2.0, 3.0], [1.0, -1.0]))
    wanted = (plain * factor + shift).clamp(-0.5, 40.0)
    assert torch.allclose(out[0].float(), wanted, atol=0.05 if dtype == torch.float16 else 1e-4)


def test_members_of_a_batch_have_their_own_windows() -> None:
    batch = torch.stack([data(torch.uint8), data(torch.uint8) + 1])
    starts = [[0, 1, 2], [2, 1, 0]]
    pending = Pending.of(Volume(batch, None, "first", batched=True)).cut(torch.tensor(starts), (2, 3, 4), batched=True)
    out = torch.empty(2, 2, 2, 3, 4, dtype=torch.uint8)
    write(pending, out)
    wanted = torch.stack([take(member, start, size=[2, 3, 4]) for member, start in zip(batch, starts, strict=True)])
    assert torch.equal(out, wanted)
