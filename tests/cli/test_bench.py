"""``vesalia bench``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import call


def test_a_table_a_picture_and_what_would_help(
    capsys: pytest.CaptureFixture[str], archive: Path, tmp_path: Path
) -> None:
    page = tmp_path / "new" / "page.html"
    answer = call(capsys, "bench", "pipeline", archive, "--steps", 2, "--device", "cpu", "--out", page)
    assert answer.code == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["stage", "per", "item", "per", "step"] in lines
    firsts = {line[0] for line in lines if line}
    assert firsts >= {"decode", "crop", "batch", "forward", "backward", "update"}
    assert "what would help most: " in answer.out
    assert "<svg" in page.read_text(encoding="utf-8")


def test_for_machines(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "bench", "pipeline", archive, "--steps", 2, "--device", "cpu", "--json")
    assert answer.code == 0
    assert answer.data["page"] == str(archive / "eval" / "pipeline.html")
    assert Path(answer.data["page"]).exists()
    assert answer.data["costs"]["step"] > 0
    assert answer.data["advice"]["text"]


def test_a_faulty_config_is_told(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "bench", "pipeline", archive, "--config", "config/none.json")
    assert answer.code == 2
    assert "none.json" in answer.err
