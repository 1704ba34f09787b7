"""A subject's pictures and what can be wrong with them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vesalia.datatools.picture_check import check_pictures


def picture(path: Path, *shape: int, dtype: type = np.uint8) -> Path:
    values: npt.NDArray[Any] = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    Image.fromarray(values).save(path, format="PNG")
    return path


@pytest.mark.parametrize(("shape", "channels"), [((6, 4), 1), ((6, 4, 3), 3), ((6, 4, 4), 3), ((6, 4, 2), 1)])
def test_a_sound_picture(tmp_path: Path, shape: tuple[int, ...], channels: int) -> None:
    found = check_pictures([picture(tmp_path / "a.png", *shape)], channels=channels, config="c.json")
    assert (found.faults, found.shape, found.channels) == ((), (6, 4), channels)


def test_files_are_channels(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{name}.png", 6, 4, dtype=np.uint16) for name in "ab"]
    assert check_pictures(files, channels=2, config="c.json").channels == 2


def test_pictures_of_other_sizes(tmp_path: Path) -> None:
    files = [picture(tmp_path / "a.png", 6, 4), picture(tmp_path / "b.png", 6, 5)]
    (fault,) = check_pictures(files, channels=None, config="c.json").faults
    assert (fault.found, fault.expected) == ("6 x 5 pixels", "6 x 4 pixels, as the first has")


def test_other_channels_than_are_declared(tmp_path: Path) -> None:
    (fault,) = check_pictures([picture(tmp_path / "a.png", 6, 4)], channels=3, config="c.json").faults
    assert fault.found == "1 channels"
    assert "RepeatChannel" in (fault.write or "")


@pytest.mark.parametrize("damage", ["cut", "text", "gone"])
def test_files_that_cannot_be_read(tmp_path: Path, damage: str) -> None:
    path = picture(tmp_path / "a.png", 60, 40)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "text":
        path.write_text("no picture")
    else:
        path.unlink()
    found = check_pictures([path], channels=1, config="c.json")
    assert [fault.expected for fault in found.faults] == ["a picture"]
    assert found.shape == ()
