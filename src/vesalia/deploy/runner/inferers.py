"""Which windows an image goes through the network in: what the inferers of configs say, as plans."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vesalia.errors import ConfigError
from vesalia.imaging.windows import Mode, WindowPlan

__all__ = ["INFERERS", "Inferer", "TFScanWindowInferer", "TFSimpleInferer"]


class Inferer(Protocol):
    """How an image is divided."""

    @property
    def batch_size(self) -> int:
        """Windows per pass."""

    @property
    def mode(self) -> Mode:
        """The weight of a window's voxels in the average."""

    def windows(self, shape: Sequence[int], *, divisor: int) -> WindowPlan:
        """The windows of an image of ``shape``; their sizes are multiples of ``divisor``."""


@dataclass(frozen=True, slots=True)
class TFScanWindowInferer:
    """A window that slides over the image; averages where windows overlap."""

    roi_size: Sequence[int]
    batch_size: int = 1
    overlap: float = 0.25
    mode: Mode = "gaussian"

    def windows(self, shape: Sequence[int], *, divisor: int) -> WindowPlan:
        """The windows of an image of ``shape``.

        Raises:
            ConfigError: The window has another number of axes than the image.
        """
        if len(self.roi_size) != len(shape):
            found = f"roi_size: found {list(self.roi_size)} for an image of {list(shape)} voxels"
            raise ConfigError(f"{found}, expected {len(shape)} numbers; write one per axis")
        return WindowPlan.of(shape, [size + -size % divisor for size in self.roi_size], overlap=self.overlap)


@dataclass(frozen=True, slots=True)
class TFSimpleInferer:
    """One pass over the whole image: a single window, padded to a size that the network takes."""

    batch_size: int = 1
    mode: Mode = "constant"

    def windows(self, shape: Sequence[int], *, divisor: int) -> WindowPlan:
        """The one window of an image of ``shape``."""
        return WindowPlan.of(shape, [size + -size % divisor for size in shape], overlap=0.0)


INFERERS: Mapping[str, Callable[..., Inferer]] = {
    "TFScanWindowInferer": TFScanWindowInferer,
    "TFSimpleInferer": TFSimpleInferer,
}
"""Name to class."""
