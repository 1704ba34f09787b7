"""What a command does when a launcher (mpirun, torchrun) started it several times."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import os
from typing import Any

from vesalia.cli.answer import say

__all__ = ["leave_to_rank_zero", "quiet_unless_first", "speaks"]


def leave_to_rank_zero() -> dict[str, Any] | None:
    """The answer of a process that is not the first: it has nothing to do; None for the first."""
    from vesalia.runtime.ranks import process_rank  # late, as all imports of a command

    rank = process_rank()
    if rank == 0:
        return None
    say(f"rank {rank}: this works in one process; rank 0 does the work", to_stderr=True)
    return {"rank": rank}


def speaks() -> bool:
    """Whether this process is the one that answers: the first of several, or the only one."""
    from vesalia.runtime.ranks import process_rank  # late, as all imports of a command

    return process_rank() == 0


def quiet_unless_first() -> None:
    """Let the first process alone show what is logged; the others' warnings are shown all the same."""
    # Torch looks at this when it is imported. Its notes on exchanging gradients are for those who write such programs.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if not speaks():
        logging.getLogger("vesalia").setLevel(logging.WARNING)
