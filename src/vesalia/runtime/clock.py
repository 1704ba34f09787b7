"""When this process began, for budgets counted from its start."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import psutil

__all__ = ["process_started"]


def process_started() -> float:
    """Wall-clock time (seconds since 1970) at which this process was started."""
    return float(psutil.Process(os.getpid()).create_time())
