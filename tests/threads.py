"""Threads of the package that are alive: none stays after what it was for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

__all__ = ["alive"]


def alive() -> set[threading.Thread]:
    """The threads; what is being compiled in the background ends by itself."""
    named = {thread for thread in threading.enumerate() if thread.name.startswith("vesalia")}
    return {thread for thread in named if thread.name != "vesalia-compile"}
