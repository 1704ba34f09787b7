"""What the largest subject of a list takes of the memory, in words; without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from vesalia.errors import ResourceError

__all__ = ["MemoryPlan", "require_fit"]

_GIGABYTE: Final = 1e9


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The largest subject of a list.

    Attributes:
        subject: Its name.
        shape: Voxels of the image as it goes through the network.
        windows: How many windows it takes; 0 where it goes through as a whole, or its probabilities are needed as such.
        process_bytes: What the process takes before.
        image_bytes: The image, as read and as prepared.
        result_bytes: Labels; where nothing is decided window by window, a float32 volume per class.
        waiting_bytes: What waits for further windows: sums or features, and planes to interpolate between.
        file_bytes: The part of it that is in a temporary file.
        network_bytes: What one pass takes, about; 0 where that could not be told.
        output_bytes: Probabilities of the windows that are in the network at once, where it gives these whole.
        work_bytes: Slabs that are worked on, memory that is free but not given back at once, a compiler of loops.
    """

    subject: str
    shape: tuple[int, ...]
    windows: int
    process_bytes: int
    image_bytes: int
    result_bytes: int
    waiting_bytes: int = 0
    file_bytes: int = 0
    network_bytes: int = 0
    output_bytes: int = 0
    work_bytes: int = 0

    @property
    def least_bytes(self) -> int:
        """What cannot be done without, beside what the process has."""
        return self.image_bytes + self.result_bytes + self.waiting_bytes + self.output_bytes

    @property
    def peak_bytes(self) -> int:
        """What is expected at most."""
        return self.process_bytes + self.least_bytes + self.network_bytes + self.work_bytes

    def __str__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        how = f"{self.windows} windows, decided one by one" if self.windows else "probabilities kept as a whole"
        parts = (
            ("image", self.image_bytes),
            ("result", self.result_bytes),
            ("waiting", self.waiting_bytes),
            ("probabilities of a pass", self.output_bytes),
            ("network", self.network_bytes),
            ("work", self.work_bytes),
            ("process", self.process_bytes),
        )
        said = ", ".join(f"{name} {_gigabytes(size)}" for name, size in parts if size)
        away = f"; {_gigabytes(self.file_bytes)} in a temporary file" if self.file_bytes else ""
        return (
            f"memory: about {_gigabytes(self.peak_bytes)} at most for {self.subject} ({shape} voxels, {how}): "
            f"{said}{away}"
        )


def _gigabytes(size: float) -> str:
    return f"{size / _GIGABYTE:.2f} GB"


def require_fit(plans: Iterable[MemoryPlan], *, classes: int, available_bytes: int) -> MemoryPlan | None:
    """Require that the largest subject fits; None where there is no plan.

    Args:
        plans: A plan for each subject.
        classes: Channels of the network's output, for the message.
        available_bytes: The memory that is free.

    Raises:
        ResourceError: The largest subject takes more.
    """
    largest = max(plans, key=lambda one: one.least_bytes, default=None)
    if largest is None or largest.least_bytes <= available_bytes:
        return largest
    shape = " x ".join(map(str, largest.shape))
    message = (
        f"{largest.subject}: found a need of at least {largest.least_bytes / _GIGABYTE:.1f} GB of memory ({shape} "
        f"voxels, {classes} classes), expected at most the {available_bytes / _GIGABYTE:.1f} GB that are free; write a "
        "coarser target_resolution, close other programs, or leave the subject out"
    )
    raise ResourceError(message)
