"""Which of several processes this is, when a launcher started more than one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

__all__ = ["process_rank"]

_VARIABLES = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK")
"""Set by torchrun, by Open MPI's mpirun (which v3's scripts call), and by MPICH's."""


def process_rank() -> int:
    """This process's rank; 0 where no launcher said anything."""
    said = (os.environ.get(name, "") for name in _VARIABLES)
    return next((int(value) for value in said if value.isdecimal()), 0)
