"""Recognising a data set, and saying what a file is that is none."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.datatools.datasets import decathlon, nnunet
from vesalia.datatools.dataset import read_dataset
from vesalia.errors import DataError, UserError


@pytest.mark.parametrize("by_file", [False, True])
def test_both_layouts_are_recognised(tmp_path: Path, by_file: bool) -> None:
    for layout, make in (("decathlon", decathlon), ("nnunet", nnunet)):
        folder = make(tmp_path / layout)
        described = read_dataset(folder / "dataset.json" if by_file else folder)
        assert described.training
        assert described.root == folder
        assert described.source == folder / "dataset.json"


def test_a_relative_path_gives_an_absolute_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decathlon(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert read_dataset(Path("data")).root == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"a": 1, "b": 2}', "the keys a, b"), ("{}", "the keys none"), ("[]", "a JSON list"), ("{", "end of the file")],
)
def test_other_files_are_told_apart(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "dataset.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_dataset(file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder without dataset\.json"):
        read_dataset(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read_dataset(tmp_path / "nowhere")
