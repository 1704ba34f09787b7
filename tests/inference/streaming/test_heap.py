"""Unused memory goes back when the process has grown, and not before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from vesalia.inference.streaming import heap as module
from vesalia.inference.streaming.heap import Heap


def test_growth_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([100, 150, 90, 195, 120, 170])
    asked: list[bool] = []
    monkeypatch.setattr(module, "give_back_memory", lambda: asked.append(True))
    process = cast("Any", SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=next(sizes))))
    heap = Heap(growth_bytes=100, _process=process)
    # Grown by 50; shrunk; grown by 105, after which it takes 120; grown by 50.
    assert [heap.tidy() for _ in range(5)] == [False, False, False, True, False]
    assert asked == [True]
