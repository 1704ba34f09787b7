"""Which fields are labels: the one place where transforms that list image and label decide how to read each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample, Volume

__all__ = ["mode_for", "reading_mode", "reading_modes"]

_LABEL_NAMES = ("label", "mask", "seg")
_IMAGE_NAMES = ("image",)


def reading_mode(name: str, volume: Volume) -> Mode:
    """``nearest`` for a label, ``linear`` for an image.

    A field is a label if its name begins with ``label``, ``mask`` or ``seg``. One that begins with ``image`` is none,
    whatever it is stored as. Any other is a label if it holds whole numbers.
    """
    low = name.lower()
    if low.startswith(_LABEL_NAMES):
        return "nearest"
    return "linear" if low.startswith(_IMAGE_NAMES) or volume.data.is_floating_point() else "nearest"


def mode_for(name: str, volume: Volume, *, is_label: bool | None) -> Mode:
    """How to read a field whose kind the config may have said: true, false, or nothing (then by name and type)."""
    if is_label is None:
        return reading_mode(name, volume)
    return "nearest" if is_label else "linear"


def reading_modes(sample: Sample, fields: Sequence[str]) -> dict[str, Mode]:
    """How to read each of ``fields``."""
    return {name: reading_mode(name, sample[name]) for name in fields}
