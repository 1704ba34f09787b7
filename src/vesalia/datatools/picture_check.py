"""What is wrong with a subject's pictures: PNG and JPEG files, looked at without decoding all of them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vesalia.errors import Fault

__all__ = ["PictureFindings", "check_pictures"]

_FORMATS = ("PNG", "JPEG")
_GREY = {"1", "L", "I", "F", "LA", "I;16", "I;16B", "I;16L", "I;16N"}
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class PictureFindings:
    """What was found out about a subject's pictures.

    Attributes:
        faults: What is wrong.
        shape: Rows and columns; empty where no picture could be read.
        channels: Channels of all pictures together.
    """

    faults: tuple[Fault, ...] = ()
    shape: tuple[int, ...] = ()
    channels: int = 1


def check_pictures(paths: Sequence[Path], *, channels: int | None, config: str) -> PictureFindings:
    """Look at the pictures of one subject: readable to their end, of one size, with the channels that are declared.

    Args:
        paths: The files; several are the channels of one image.
        channels: Channels that the image must have; None where the plan does not say.
        config: The config as the user knows it, for messages.
    """
    faults: list[Fault] = []
    seen = [(path, look) for path in paths if (look := _look(path, faults)) is not None]
    for path, (shape, _) in seen[1:]:
        if shape != seen[0][1][0]:
            found, expected = (f"{one[0]} x {one[1]} pixels" for one in (shape, seen[0][1][0]))
            faults.append(Fault(str(path), found=found, expected=f"{expected}, as the first has", write="one size"))
    together = sum(count for _, (_, count) in seen)
    if seen and len(seen) == len(paths) and channels is not None and together != channels:
        key = "output_image_channels"
        expected = f"{channels}, as {config} has in train.image_pipeline.args.{key}"
        write = f"{key}: {together}, RepeatChannel for a grey picture, or files with {channels}"
        faults.append(Fault(str(seen[0][0]), found=f"{together} channels", expected=expected, write=write))
    return PictureFindings(tuple(faults), seen[0][1][0] if seen else (), together or 1)


def _look(path: Path, faults: list[Fault]) -> tuple[tuple[int, int], int] | None:
    """Rows and columns, and channels; None and a fault where the file cannot be read."""
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            columns, rows = picture.size
            grey = picture.mode in _GREY
            picture.verify()
    except _BROKEN as error:
        found, write = f"no readable PNG or JPEG ({error})", "a fresh copy of the file"
        faults.append(Fault(str(path), found=found, expected="a picture", write=write))
        return None
    return (rows, columns), 1 if grey else 3
