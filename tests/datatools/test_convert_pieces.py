"""What is converted, and where it goes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.datatools.itk_files import write_series
from vesalia.datatools.convert_pieces import DICOM, find_pieces, read_suffix, written_suffix
from vesalia.errors import ConfigError, DataError

VALUES = np.zeros((3, 3, 3), np.int16)


def found(source: Path, destination: Path, suffix: str = ".nii.gz", to: str = ".nii") -> dict[str, int]:
    """Target below the destination to the number of files it is made from."""
    pieces = find_pieces(source, destination, suffix=suffix, to=to)
    return {piece.target.relative_to(destination.resolve()).as_posix(): len(piece.files) for piece in pieces}


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_tree_is_mirrored(tmp_path: Path) -> None:
    touch(tmp_path, "in/b.nii.gz", "in/x/y/a.NII.GZ", "in/x/a.nii", "in/.hidden.nii.gz", "in/.nii.gz", "in/v1.2.nii.gz")
    assert found(tmp_path / "in", tmp_path / "out") == {"b.nii": 1, "v1.2.nii": 1, "x/y/a.nii": 1}


def test_results_below_the_source_are_not_read_again(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz", "out/a.nii.gz")
    assert found(tmp_path, tmp_path / "out", to=".nii.gz") == {"a.nii.gz": 1}
    assert found(tmp_path, tmp_path, to=".nii") == {"a.nii": 1, "out/a.nii": 1}


def test_series_are_named_after_their_folder(tmp_path: Path) -> None:
    write_series(tmp_path / "in/one", VALUES, np.eye(4), name="{:d}")
    write_series(tmp_path / "in/two/both", VALUES, np.eye(4), number=4)
    write_series(tmp_path / "in/two/both", VALUES, np.eye(4), number=7, name="b{:d}.ima")
    touch(tmp_path, "in/one/README", "in/notes.txt")
    assert found(tmp_path / "in", tmp_path / "out", DICOM, ".nii.gz") == {
        "one.nii.gz": 3,
        "two/both_4.nii.gz": 3,
        "two/both_7.nii.gz": 3,
    }
    assert found(tmp_path / "in/one", tmp_path / "out", DICOM, ".nii.gz") == {"one.nii.gz": 3}


def test_a_piece_is_called_by_its_file_or_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii")
    write_series(tmp_path / "one", VALUES, np.eye(4))
    (single,) = find_pieces(tmp_path, tmp_path / "out", suffix=".nii", to=".mha")
    (series,) = find_pieces(tmp_path, tmp_path / "out", suffix=DICOM, to=".mha")
    assert single.name == str(tmp_path.resolve() / "a.nii")
    assert series.name == str(tmp_path.resolve() / "one")


def test_nothing_to_convert_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found an empty folder"):
        found(tmp_path, tmp_path / "out")
    touch(tmp_path, "a/1.dcm", "a/2.dcm", "b.nii", "README")
    said = r"found no \.nii\.gz file below it \(there are 2 \.dcm, 1 without an ending, 1 \.nii\).*write --from \.dcm"
    with pytest.raises(DataError, match=said):
        found(tmp_path, tmp_path / "out")


@pytest.mark.parametrize(("name", "said"), [("gone", "found no such folder"), ("file", "found a file")])
def test_no_folder(tmp_path: Path, name: str, said: str) -> None:
    touch(tmp_path, "file")
    with pytest.raises(DataError, match=said):
        found(tmp_path / name, tmp_path / "out")


def test_nothing_takes_the_place_of_what_it_is_made_from(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii.gz")
    with pytest.raises(ConfigError, match="found it to be read and written"):
        found(tmp_path, tmp_path, to=".nii.gz")


def test_two_results_of_one_name_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.nii.gz", "in/a.NII.GZ")
    if len(list((tmp_path / "in").iterdir())) < 2:
        pytest.skip("this file system does not tell upper from lower case")
    with pytest.raises(ConfigError, match="to be written there, expected one of them"):
        found(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "suffix"), [("nii.gz", ".nii.gz"), ("*.MHA", ".mha"), ("dicom", DICOM), (".ima", DICOM), (".dcm", DICOM)]
)
def test_endings_that_are_read(text: str, suffix: str) -> None:
    assert read_suffix(text) == suffix


@pytest.mark.parametrize("text", ["", " . ", "*"])
def test_no_ending(text: str) -> None:
    with pytest.raises(ConfigError, match="found no ending"):
        read_suffix(text)


def test_endings_that_are_written() -> None:
    assert [written_suffix(text) for text in ("nii.gz", ".NRRD")] == [".nii.gz", ".nrrd"]
    with pytest.raises(ConfigError, match=r"found '\.npy', expected one of \.nii\.gz, \.nii, \.mha, \.nrrd"):
        written_suffix(".npy")
