"""NumPy's arrays for blending: room, the largest channel, places along an axis."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from vesalia.imaging.label_loops import make_loops
from vesalia.inference.streaming import arrays as arrays_module
from vesalia.inference.streaming.arrays import NumpyArrays, fresh_memory, largest_channel


@pytest.mark.parametrize("channels", [1, 2, 7, 256, 300])
def test_the_largest_channel_is_that_of_argmax(channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 9, (channels, 4, 5)).astype(np.float32)  # with many equals
    found = largest_channel(values)
    assert np.array_equal(found, values.argmax(0))
    assert found.dtype == (np.uint8 if channels <= 256 else np.int16)
    assert np.array_equal(NumpyArrays().largest(values), found)


@pytest.mark.parametrize("channels", [3, 300])
def test_the_largest_channel_by_loops_is_the_same(channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).integers(0, 9, (channels, 4, 5)).astype(np.float32)
    monkeypatch.setattr(arrays_module, "label_loops", lambda *_, **__: None)
    found = arrays_module.largest_channel(values)
    monkeypatch.setattr(arrays_module, "label_loops", lambda *_, **__: make_loops(lambda loop: loop))
    by_loops = arrays_module.largest_channel(values)
    assert np.array_equal(by_loops, found)
    assert by_loops.dtype == found.dtype
    assert np.array_equal(arrays_module.largest_channel(values[..., ::2]), found[..., ::2])


@pytest.mark.parametrize("shape", [(2, 3), (100, 50, 40)])
def test_room_can_be_written(shape: tuple[int, ...]) -> None:
    room = fresh_memory(shape)
    room[...] = 3
    assert (room.shape, float(room.sum())) == (shape, 3 * float(np.prod(shape)))
    assert room.dtype == np.float32
    assert NumpyArrays().empty(4, shape).shape == (4, *shape)


def test_places_are_taken_and_arrays_are_themselves() -> None:
    values, arrays = np.arange(12, dtype=np.float32).reshape(1, 3, 4), NumpyArrays()
    assert arrays.take(values, 2, index=np.array([3, 0])).tolist() == [[[3, 0], [7, 4], [11, 8]]]
    assert arrays.given(values) is arrays.plain(values) is values
    assert arrays.on_machine


def test_blending_with_numpy_loads_no_torch() -> None:
    code = (
        "import sys, vesalia.inference.streaming.restoring, vesalia.inference.streaming.sinks;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
