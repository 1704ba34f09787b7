"""Threads of the package that are alive: none stays after what it was for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

__all__ = ["alive"]


def alive() -> list[str]:
    """Their names; what is being compiled in the background ends by itself."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("vesalia") and name != "vesalia-compile"]
