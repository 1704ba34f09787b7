"""When this process began, for budgets counted from its start."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time

import psutil

__all__ = ["process_started", "seconds_since_start"]


def process_started() -> float:
    """Wall-clock time (seconds since 1970) at which this process was started."""
    return float(psutil.Process(os.getpid()).create_time())


def seconds_since_start() -> float:
    """Seconds since this process was started, its imports included."""
    return max(0.0, time.time() - process_started())
