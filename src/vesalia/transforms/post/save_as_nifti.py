"""SaveAsNifti: puts each item that passes on disk, to be looked at."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from vesalia.errors import DataError
from vesalia.imaging.nifti import write_volume
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names

__all__ = ["SaveAsNifti"]

_LOG = logging.getLogger(__name__)
_KEYBOARD = threading.Lock()
"""One question at a time, whatever the number of workers."""
_NUMBERING = threading.Lock()
"""Not the transform's own: workers that are processes get a copy of it, and locks cannot be copied."""


class SaveAsNifti(Deterministic):
    """Writes ``<out_dir>/<subject>_<field>_<n>.nii.gz`` for each item that passes, and changes nothing: for debugging.

    ``n`` is the next number that is free, so that nothing is written over. A batch of crops gives one file per crop,
    ``..._<n>_crop<m>.nii.gz``. Among the transforms whose result is cached, an item passes once; behind the first
    random one, once an epoch.

    Args:
        fields: The fields to write.
        out_dir: Where to; made if it is not there. A relative folder lies in the archive.
        interrupt: Wait for the Enter key after each item. Without a keyboard (a job, a pipe) it says so and goes on.
    """

    def __init__(self, fields: FieldNames, *, out_dir: str, interrupt: bool = False) -> None:
        self.fields = field_names(fields)
        self.out_dir = Path(out_dir)
        self.interrupt = interrupt
        self._numbers: dict[str, int] = {}
        self._said = False

    def transform(self, sample: Sample) -> Sample:
        """Write the fields."""
        written = [path for name in self.fields for path in self._write(sample, name)]
        if self.interrupt:
            self._wait(written)
        return sample

    def _write(self, sample: Sample, name: str) -> list[Path]:
        volume = sample[name]
        if not volume.spatial_shape:
            raise DataError(f"found numbers in the field {name!r}, expected an image; leave it out of fields")
        stem = f"{_plain(sample.name or 'sample')}_{_plain(name)}"
        number = self._next(stem)
        return [
            write_volume(member, self.out_dir / f"{stem}_{number:04d}{ending}.nii.gz")
            for ending, member in _members(volume)
        ]

    def _next(self, stem: str) -> int:
        """The next free number; nobody else gets it."""
        with _NUMBERING:
            number = self._numbers.get(stem, 0)
            while any(self.out_dir.glob(f"{_literal(stem)}_{number:04d}*.nii.gz")):
                number += 1
            self._numbers[stem] = number + 1
            return number

    def _wait(self, written: list[Path]) -> None:
        with _KEYBOARD:
            if _has_keyboard():
                _LOG.warning("SaveAsNifti: wrote %s; press Enter to go on", ", ".join(map(str, written)))
                sys.stdin.readline()
            elif not self._said:
                _LOG.warning("SaveAsNifti: found no keyboard to wait for (interrupt: true), so it goes on")
                self._said = True


def _members(volume: Volume) -> Iterator[tuple[str, Volume]]:
    """The volumes to write, each with the ending of its name; crops have no place of their own."""
    if not volume.batched:
        yield "", volume
        return
    for index, member in enumerate(volume.as_batch()):
        yield f"_crop{index:02d}", Volume(member, channel="first")


def _has_keyboard() -> bool:
    try:
        return bool(sys.stdin.isatty())
    except (AttributeError, ValueError):  # there is none, or it was closed
        return False


def _plain(name: str) -> str:
    return re.sub(r"[\\/\x00-\x1f]", "_", name)


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)
