"""What a command does when a launcher (mpirun, torchrun) started it several times."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from vesalia.cli.answer import say

__all__ = ["leave_to_rank_zero"]


def leave_to_rank_zero() -> dict[str, Any] | None:
    """The answer of a process that is not the first: it has nothing to do; None for the first."""
    from vesalia.runtime.ranks import process_rank  # late, as all imports of a command

    rank = process_rank()
    if rank == 0:
        return None
    say(f"rank {rank}: this version works in one process; rank 0 does the work", to_stderr=True)
    return {"rank": rank}
