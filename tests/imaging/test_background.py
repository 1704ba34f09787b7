"""Made in a thread: none at first, once and the same for all who ask."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

from vesalia.imaging.background import InBackground


def test_others_go_on_without_it_until_it_is_there() -> None:
    may_end, made = threading.Event(), []

    def make() -> str:
        may_end.wait(10)
        made.append(1)
        return "made"

    thing = InBackground(make)
    assert [thing.get() for _ in range(3)] == [None] * 3
    may_end.set()
    assert thing.thread is not None
    thing.thread.join()
    assert [thing.get() for _ in range(3)] == ["made"] * 3
    assert len(made) == 1
