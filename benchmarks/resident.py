"""How much memory a process has."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

__all__ = ["resident_bytes"]


def resident_bytes(kind: str = "Pss") -> int:
    """This process's proportional set size: pages that n processes share count 1/n (Linux).

    Args:
        kind: Another line of ``/proc/self/smaps_rollup``, such as ``Pss_Shmem`` for shared memory alone.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:"))
