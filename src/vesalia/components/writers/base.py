"""What a writer is: it puts one field of a finished subject on disk."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from vesalia.imaging.volume import Sample

__all__ = ["Writer"]


class Writer(ABC):
    """Writes a subject's result; knows whether it is there already, so that an evaluation can go on."""

    @abstractmethod
    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``."""

    @abstractmethod
    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the field of ``sample``; a file is whole or not there.

        Raises:
            ResourceError: The disk is full.
        """
