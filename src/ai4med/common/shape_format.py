"""What the axes of an array are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

__all__ = ["ShapeFormat"]

_FORMATS = ("HW", "CHW", "HWC", "DHW", "CDHW", "DHWC")


class ShapeFormat:
    """The axes of an array by letter: ``D``, ``H``, ``W`` in space, ``C`` for channels, ``N`` in front for a batch.

    Args:
        text: One of HW, CHW, HWC, DHW, CDHW and DHWC, in any case, with or without ``N`` in front.
    """

    def __init__(self, text: str | ShapeFormat) -> None:
        self._text = str(text).upper()
        if self._text.removeprefix("N") not in _FORMATS:
            message = f"shape format: found {str(text)!r}, expected one of {', '.join(_FORMATS)}, or N and one of them"
            raise ValueError(message)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"ShapeFormat({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str | ShapeFormat) and str(other).upper() == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def get_number_of_dims(self) -> int:
        """How many axes an array of this format has, those of channels and batch included."""
        return len(self._text)

    def is_3d(self) -> bool:
        """Whether there are three axes in space."""
        return "D" in self._text

    def is_2d(self) -> bool:
        """Whether there are two axes in space."""
        return not self.is_3d()

    def is_channeled(self) -> bool:
        """Whether there is a channel axis."""
        return "C" in self._text

    def is_batched(self) -> bool:
        """Whether the first axis counts the members of a batch."""
        return self._text.startswith("N")

    def get_channel_axis(self) -> int | None:
        """The number of the channel axis; None where there is none."""
        return self._text.index("C") if self.is_channeled() else None

    def get_spatial_axis(self) -> tuple[int, int]:
        """The numbers of the first and the last axis in space, both included."""
        return self._text.index("D" if self.is_3d() else "H"), self._text.index("W")
