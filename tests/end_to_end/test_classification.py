"""Classification through the command line: synthesize, check, train, evaluate, infer, and go on with infer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tiny_classification import make_archive
from vesalia.cli.main import app

pytestmark = pytest.mark.slow


def call(*words: object) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained archive."""
    folder = tmp_path_factory.mktemp("classification")
    call("data", "synthesize", folder / "data", "--task", "classification", "--cases", 24, "--size", 32)
    made = make_archive(folder / "mmar", folder / "data" / "dataset.json")
    call("check", made)
    trained = call("train", made)
    assert trained["key_metric"] == "Average_AUC"
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_evaluate(archive: Path) -> None:
    answer = call("evaluate", archive)
    assert 0 <= answer["metrics"]["Average_AUC"]["mean"] <= 1
    assert set(answer["metrics"]["Average_AUC"]["per_class"]) == {"nodule", "effusion", "catheter"}
    report = (archive / "eval" / "report.html").read_text(encoding="utf-8")
    assert all(word in report for word in ("ROC", "sensitivity", "probability of the truth", "catheter"))
    rows = rows_of(archive / "eval" / "metrics.csv")
    findings = ["nodule", "effusion", "catheter"]
    assert list(rows[0]) == ["subject", "image", *findings, *(f"{name} (truth)" for name in findings)]
    raw = (archive / "eval" / "Average_AUC_raw_results.txt").read_text().splitlines()
    assert (len(rows), len(raw)) == (6, 7)
    assert (archive / "eval" / "effusion_AUC_summary_results.txt").exists()


def test_infer_writes_one_table_and_goes_on(archive: Path, tmp_path: Path) -> None:
    answer = call("infer", archive, "-o", tmp_path / "out")
    (table,) = map(Path, answer["files"])
    before = table.read_text()
    assert [row["subject"] for row in rows_of(table)] == [f"chest_0{n}" for n in range(19, 25)]
    (tmp_path / "out" / "chest_020" / "prediction.json").unlink()
    table.unlink()
    resumed = call("infer", archive, "-o", tmp_path / "out", "--resume")
    assert [case["subject"] for case in resumed["cases"]] == ["chest_020"]
    assert table.read_text() == before


def test_infer_one_picture(archive: Path, tmp_path: Path) -> None:
    picture = next((archive.parent / "data" / "images").glob("*.png"))
    answer = call("infer", archive, picture, "-o", tmp_path / "out")
    assert [row["subject"] for row in rows_of(Path(answer["files"][0]))] == [picture.stem]
