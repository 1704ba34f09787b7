"""A reader's error about one file, as a fault that can be listed beside others."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.errors import DataError, Fault

__all__ = ["faults_of"]


def faults_of(error: DataError, path: Path) -> tuple[Fault, ...]:
    """The faults an error carries; one made of its message (``PATH: found ..., expected ...; ...``) where none."""
    if error.faults:
        return error.faults
    said = error.message.removeprefix(f"{path}: ").removeprefix("found ")
    found, _, rest = said.partition(", expected ")
    expected, _, write = rest.partition("; ")
    return (Fault(str(path), found=found, expected=expected, write=write.removeprefix("write ")),)
