"""Stopping on request: the first Ctrl-C or SIGTERM asks, the second insists."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, final

__all__ = ["StopRequest"]


@final
class StopRequest:
    """Inside ``with StopRequest() as stop``, SIGINT and SIGTERM set ``stop.signal_number`` and nothing else.

    A second signal raises :class:`KeyboardInterrupt` at once. Outside the main thread, where Python hands out
    no signals, the object does not listen. Anyone who holds it may ask by setting ``signal_number``: a listener,
    say, or another thread.

    Attributes:
        signal_number: The signal that asked, or None.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    def __bool__(self) -> bool:
        return self.signal_number is not None

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number
