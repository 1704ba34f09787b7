"""What is pending: rules for voxels compose, shapes and places are known before anything is computed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.geometry import crop_affine, flip_affine
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.fusion.pending import Pending, Rule, Values

STEP = st.one_of(
    st.tuples(st.just("scale"), st.floats(-3, 3), st.floats(-5, 5)),
    st.tuples(st.just("clamp"), st.floats(-4, 0), st.floats(0, 4)),
)


def value(values: Values, x: float) -> float:
    """What the rule of the only row makes of ``x``."""
    rule = only(values)
    return min(max(x * rule.scale + rule.shift, rule.low), rule.high)


def only(values: Values) -> Rule:
    """The rule of the only row and channel."""
    (rule,) = values.rules(0)
    return rule


@given(steps=st.lists(STEP, max_size=5), x=st.floats(-10, 10))
def test_steps_compose_to_one_rule(steps: list[tuple[str, float, float]], x: float) -> None:
    values, wanted, fill = Values.unchanged(1, 1), x, 0.0
    for kind, one, other in steps:
        values = values.scaled(one, other) if kind == "scale" else values.clamped(one, other)
        wanted = wanted * one + other if kind == "scale" else min(max(wanted, one), other)
        fill = fill * one + other if kind == "scale" else min(max(fill, one), other)
    assert value(values, x) == pytest.approx(wanted, abs=1e-9)
    assert only(values).fill == pytest.approx(fill, abs=1e-9)


def test_a_scale_of_zero_after_no_limit_leaves_the_shift_alone() -> None:
    assert value(Values.unchanged(1, 1).scaled(0.0, 2.0), 7.0) == 2.0
    assert math.isfinite(only(Values.unchanged(1, 1).scaled(0.0, 2.0)).low)


def test_from_a_cut_on_zero_stands_outside() -> None:
    assert only(Values.unchanged(1, 1).scaled(1.0, 5.0).cut()).fill == 0.0


def volume() -> Volume:
    """A small image of two channels."""
    return Volume(torch.arange(2 * 4 * 5 * 6, dtype=torch.int16).view(2, 4, 5, 6), oblique_affine(), "first")


def test_a_stand_in_has_the_shape_and_holds_no_memory() -> None:
    pending = Pending.of(volume()).cut(torch.zeros(7, 3, dtype=torch.int64), (64, 64, 64), batched=True)
    shown = pending.stand_in()
    assert tuple(shown.data.shape) == (7, 2, 64, 64, 64)
    assert shown.data.untyped_storage().nbytes() <= 8


def test_a_single_cut_and_flip_know_where_they_lie() -> None:
    start = torch.tensor([[1, 0, 2]])
    pending = Pending.of(volume()).cut(start, (2, 2, 3), batched=False)
    flipped = pending.flipped(torch.tensor([[True, False, True]]))
    wanted = flip_affine(crop_affine(oblique_affine(), [1, 0, 2]), [0, 2], shape=(2, 2, 3))
    assert flipped.affine is not None
    assert np.allclose(flipped.affine, wanted)


def test_crops_of_a_batch_have_no_single_place() -> None:
    cut = Pending.of(volume()).cut(torch.zeros(2, 3, dtype=torch.int64), (2, 2, 2), batched=True)
    assert cut.affine is None


def test_whole_numbers_become_float32_once_they_are_computed_with() -> None:
    untouched = Pending.of(volume())
    assert untouched.dtype == torch.int16
    assert untouched.scaled(2.0, 0.0).dtype == torch.float32
    assert (
        Pending.of(Volume(torch.zeros(1, 2, 2, dtype=torch.float64), None, "first")).clamped(0, 1).dtype
        == torch.float64
    )
