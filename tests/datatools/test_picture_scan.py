"""The numbers of an archive, from a look at pictures."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.datatools.pictures import class_folders, picture
from vesalia.datatools.labelled_pictures import LabelledPictures, read_labelled_pictures
from vesalia.datatools.picture_scan import PictureSizes, scan_pictures
from vesalia.errors import DataError

PLENTY = 10**9


def of(folder: Path, memory_bytes: int = PLENTY) -> PictureSizes:
    return scan_pictures(read_labelled_pictures(folder), memory_bytes=memory_bytes)


def test_grey_pictures(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    data = read_labelled_pictures(class_folders(tmp_path, {"a": 5, "b": 5}))
    sizes = scan_pictures(data, memory_bytes=PLENTY, progress=lambda *counts: done.append(counts))
    assert (sizes.shape, sizes.channels, sizes.is_png) == ((64, 64), 1, True)
    assert (sizes.mean, sizes.deviation) == (110.0, 10.0)
    assert (sizes.batch, sizes.cached, sizes.is_deep, sizes.is_balanced) == (8, 8, False, False)
    assert (sizes.epochs, sizes.epochs_per_validation) == (400, 20)
    assert done[-1] == (10, 10)


def test_large_pictures_in_colour(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(2):
            picture(tmp_path / name / f"{number}.jpg", size=(300, 600), colour=True)
    sizes = of(tmp_path)
    assert (sizes.shape, sizes.channels, sizes.is_png) == ((128, 256), 3, False)


def test_a_cache_that_does_not_hold_all(tmp_path: Path) -> None:
    assert of(class_folders(tmp_path, {"a": 5, "b": 5}), memory_bytes=3 * 2 * 64 * 64 * 4).cached == 2


@pytest.mark.parametrize(("counts", "balanced"), [((4, 16), True), ((10, 20), False)])
def test_rare_classes_are_drawn_as_often(tmp_path: Path, counts: tuple[int, int], *, balanced: bool) -> None:
    assert of(class_folders(tmp_path, dict(zip("ab", counts, strict=True)))).is_balanced == balanced


def test_many_pictures_are_for_a_deep_network(tmp_path: Path) -> None:
    data = read_labelled_pictures(class_folders(tmp_path, {"a": 5, "b": 5}))
    many: LabelledPictures = replace(data, training=data.training * 63)
    assert scan_pictures(many, memory_bytes=PLENTY).is_deep


def test_pictures_of_two_kinds_are_refused(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a": 2, "b": 2})
    picture(tmp_path / "b" / "z.png", colour=True)
    with pytest.raises(DataError, match=r"channels?, expected .* as a/a_0.png has|found 1 channels"):
        of(tmp_path)


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    class_folders(tmp_path, {"a": 2, "b": 2})
    (tmp_path / "b" / "z.png").write_text("hello")
    with pytest.raises(DataError, match=r"z.png: found no readable PNG"):
        of(tmp_path)
