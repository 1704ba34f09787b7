"""torch's arrays for blending do what NumPy's do."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch

from vesalia.inference.streaming.arrays import NumpyArrays
from vesalia.inference.streaming.tensors import TensorArrays

ARRAYS = TensorArrays(torch.device("cpu"))
VALUES = np.random.default_rng(0).integers(0, 4, (6, 3, 4)).astype(np.float32)


def test_they_agree_with_numpy() -> None:
    plain, given = NumpyArrays(), ARRAYS.given(VALUES)
    assert np.array_equal(ARRAYS.plain(ARRAYS.largest(given)), plain.largest(VALUES))
    index = np.array([1, 1, 0])
    assert np.array_equal(ARRAYS.plain(ARRAYS.take(given, 1, index=index)), plain.take(VALUES, 1, index=index))
    assert ARRAYS.empty(2, (3, 4)).shape == (2, 3, 4)
    by = np.full((3, 4), 2, dtype=np.float32)
    ours, theirs = ARRAYS.empty(6, (3, 4)), plain.empty(6, (3, 4))
    ARRAYS.divide(given, ARRAYS.given(by), out=ours)
    plain.divide(VALUES, by, out=theirs)
    assert np.array_equal(theirs, VALUES / 2)
    assert np.array_equal(ARRAYS.plain(ours), theirs)
    ARRAYS.add(given, ARRAYS.given(by), out=ours)
    plain.add(VALUES, by, out=theirs)
    assert np.array_equal(theirs, VALUES + 2)
    assert np.array_equal(ARRAYS.plain(ours), theirs)


def test_only_processors_have_the_machines_memory() -> None:
    elsewhere = TensorArrays(torch.device("meta"))
    assert ARRAYS.on_machine
    assert not elsewhere.on_machine
    assert elsewhere.empty(2, (3, 4)).device.type == "meta"
    assert elsewhere.largest(torch.empty(2, 3, device="meta")).shape == (3,)
