"""Small data sets of pictures with labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["class_folders", "picture", "picture_list"]


def picture(file: Path, *, size: tuple[int, int] = (40, 48), level: int = 100, colour: bool = False) -> Path:
    """A picture of ``size`` (rows, columns), half of it brighter by 20."""
    values = np.full((*size, 3) if colour else size, level, dtype=np.uint8)
    values[: size[0] // 2] += 20
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(file)
    return file


def class_folders(folder: Path, counts: Mapping[str, int], *, suffix: str = ".png") -> Path:
    """A folder of pictures per class."""
    for name, count in counts.items():
        for number in range(count):
            picture(folder / name / f"{name}_{number}{suffix}")
    return folder


def picture_list(folder: Path, answers: Sequence[Any], /, **more: Any) -> Path:
    """A data list of one picture per answer, which is its label."""
    entries = []
    for number, label in enumerate(answers):
        file = picture(folder / f"{number}.png")
        entries.append({"image": file.name, "label": label})
    (folder / "dataset.json").write_text(json.dumps({"training": entries, **more}))
    return folder
