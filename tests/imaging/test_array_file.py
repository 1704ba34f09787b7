"""NumPy files: one array or a named one, numbers only, nothing pickled."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vesalia.errors import DataError
from vesalia.imaging.array_file import read_array

FLOAT = np.dtype(np.float32)
ARRAY = np.arange(6, dtype=np.int16).reshape(2, 3)


class Trap:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path: Path, order: Any) -> None:
    np.save(tmp_path / "a.npy", np.array(ARRAY, order=order))
    found = read_array(tmp_path / "a.npy", name="label", dtype=FLOAT)
    assert found.dtype == FLOAT
    assert found.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(found, ARRAY)


@pytest.mark.parametrize("names", [["label", "other"], ["whatever"]])
def test_npz_by_name_or_as_the_only_one(tmp_path: Path, names: list[str]) -> None:
    arrays: dict[str, Any] = {names[0]: ARRAY, **dict.fromkeys(names[1:], ARRAY + 1)}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npz", name="label", dtype=FLOAT), ARRAY)


def test_npz_without_the_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=ARRAY, two=ARRAY)
    with pytest.raises(DataError, match="the arrays one, two, none of them 'label'"):
        read_array(tmp_path / "a.npz", name="label", dtype=FLOAT)


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_is_unpickled(tmp_path: Path, packed: bool) -> None:
    array = np.array([Trap(tmp_path / "sprung")], dtype=object)
    if packed:
        np.savez(tmp_path / "a.npz", label=array)
    else:
        np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=r"expected \.npy or \.npz without pickled objects"):
        read_array(tmp_path / ("a.npz" if packed else "a.npy"), name="label", dtype=FLOAT)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x93NUMPY\x01\x00", b"PK\x03\x04"])
def test_damage_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match="no array of numbers that can be read"):
        read_array(tmp_path / "a.npy", name="label", dtype=FLOAT)


def test_a_file_cut_short_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ARRAY)
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-4])
    with pytest.raises(DataError, match="no array of numbers that can be read"):
        read_array(tmp_path / "a.npy", name="label", dtype=FLOAT)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such file"):
        read_array(tmp_path / "a.npy", name="label", dtype=FLOAT)


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.zeros((0, 3)), np.array([np.nan])])
def test_what_is_no_image_is_refused(tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match="expected numbers"):
        read_array(tmp_path / "a.npy", name="label", dtype=FLOAT)


def test_values_must_fit(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", ARRAY + 300)
    with pytest.raises(DataError, match="expected 0 to 255"):
        read_array(tmp_path / "a.npy", name="label", dtype=np.dtype(np.uint8))
