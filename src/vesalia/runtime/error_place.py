"""Where in somebody's code an error came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import traceback
from pathlib import Path

__all__ = ["place_of"]


def place_of(error: BaseException, folder: Path) -> str:
    """The innermost place below ``folder`` that ``error`` came through, as `` (file.py, line 3)``.

    Args:
        error: The error, as it was caught.
        folder: The folder of the code in question.

    Returns:
        The place with a space in front; nothing where the error did not come from there.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(folder):
            return f" ({folder.name}/{file.relative_to(folder).as_posix()}, line {frame.lineno})"
    return ""
