"""Where a volume came from, and where its channels are; without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vesalia.imaging.geometry import Grid

__all__ = ["ChannelAxis", "Source"]

ChannelAxis = Literal["none", "first", "last"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where a volume came from.

    Attributes:
        paths: The file or, for channels stacked from several files, the files.
        grid: The grid of the file as it lies on disk, before any transform; one that differs by rounding alone from
            that of the file read before it counts as the same.
        sform_code: What the file's sform is aligned to (NIfTI-1, 0: there is none).
        qform_code: The same for its qform.
        dtype: How the file stores a voxel, such as ``int16``.
    """

    paths: tuple[Path, ...]
    grid: Grid
    sform_code: int = 2
    qform_code: int = 2
    dtype: str = "float32"
