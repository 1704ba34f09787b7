"""Axis orders: what one does to shape and affine, its inverse undoes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.axis_order import Reorientation, axis_codes, towards_canonical

ORDERS = sorted(permutations(range(3)))
FLIPS = [(), (0,), (1, 2), (0, 1, 2)]


@given(st.sampled_from(ORDERS), st.sampled_from(FLIPS))
def test_the_inverse_undoes_it(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    turn = Reorientation(order, flips)
    shape, affine = (4, 5, 6), np.diag([1.0, 2.0, 3.0, 1.0])
    turned = turn.affine(affine, shape)
    assert turn.inverse.shape(turn.shape(shape)) == shape
    np.testing.assert_array_equal(turn.inverse.affine(turned, turn.shape(shape)), affine)


@pytest.mark.parametrize("flips", FLIPS)
@pytest.mark.parametrize("order", ORDERS)
def test_every_order_comes_back_to_ras(order: tuple[int, ...], flips: tuple[int, ...]) -> None:
    shape = (4, 5, 6)
    turned = Reorientation(order, flips).affine(np.eye(4), shape)
    back = towards_canonical(turned)
    assert back.is_identity == (order == (0, 1, 2) and not flips)
    assert axis_codes(back.affine(turned, Reorientation(order, flips).shape(shape))) == "RAS"
