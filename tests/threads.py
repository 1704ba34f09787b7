"""Threads of the package that are alive: none stays after what it was for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

__all__ = ["alive", "wait_for_compilers"]

_COMPILER = "vesalia-compile"


def alive() -> set[threading.Thread]:
    """The threads; what is being compiled in the background ends by itself."""
    named = {thread for thread in threading.enumerate() if thread.name.startswith("vesalia")}
    return {thread for thread in named if thread.name != _COMPILER}


def wait_for_compilers() -> None:
    """Wait until nothing is being compiled in the background, as the exit of a process does.

    Numba sets the filters of warnings aside while it compiles, and they belong to all threads: what others ignore
    meanwhile becomes an error here.
    """
    for thread in threading.enumerate():
        if thread.name == _COMPILER:
            thread.join()
