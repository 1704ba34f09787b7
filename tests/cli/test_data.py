"""``vesalia data``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import call


def synthesize(capsys: pytest.CaptureFixture[str], folder: Path, *more: object) -> Path:
    """Two cases, for machines; gives the data set."""
    answer = call(capsys, "data", "synthesize", folder, "--cases", 2, "--size", 24, "--json", *more)
    assert (answer.code, answer.data["cases"]) == (0, 2)
    return Path(answer.data["dataset"])


def test_a_decathlon_style_data_set(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = synthesize(capsys, tmp_path / "data")
    listed = json.loads((made / "dataset.json").read_text() if made.is_dir() else made.read_text())
    items = [*listed["training"], *listed.get("validation", [])]
    assert len(items) == 2
    assert all((tmp_path / "data" / item["image"]).exists() for item in items)


def test_the_same_seed_gives_the_same_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        synthesize(capsys, tmp_path / name, "--seed", seed)
    images = {
        name: [path.read_bytes() for path in sorted((tmp_path / name / "imagesTr").glob("*.nii.gz"))]
        for name in ("one", "same", "other")
    }
    assert images["one"] == images["same"] != images["other"]


def test_for_people_it_tells_what_comes_next(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = call(capsys, "data", "synthesize", tmp_path / "data", "--cases", 2, "--size", 24)
    assert "vesalia new ARCHIVE --data" in answer.out


def test_a_folder_that_is_not_empty_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    answer = call(capsys, "data", "synthesize", tmp_path, "--json")
    assert (answer.code, answer.data["ok"]) == (2, False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
