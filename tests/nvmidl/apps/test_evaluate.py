"""``python -m nvmidl.apps.evaluate``, as ``validate.sh`` and ``infer.sh`` of an old archive call it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nvmidl.apps.evaluate import main


def evaluate(capsys: pytest.CaptureFixture[str], archive: Path, *settings: str) -> dict[str, Any]:
    """Run it; gives the answer."""
    words = ["-m", str(archive), "-c", "config/config_validation.json", "-e", "config/environment.json"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--json", "--set", *settings])
    said = capsys.readouterr()
    assert left.value.code == 0, said.err
    found: dict[str, Any] = json.loads(said.out.splitlines()[-1])
    return found


def predictions(archive: Path) -> int:
    """How many were written."""
    return len(list((archive / "eval").rglob("*.nii.gz")))


def test_validate_sh(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys, trained, "do_validation=true", "output_infer_result=false")
    assert "mean_dice" in answer["metrics"]
    assert predictions(trained) == 0


def test_infer_sh(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys, trained, "do_validation=false", "output_infer_result=true")
    assert "metrics" not in answer
    assert predictions(trained) == 2


def test_both(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = evaluate(capsys, trained, "do_validation=True", "output_infer_result=true")
    assert "mean_dice" in answer["metrics"]
    assert predictions(trained) == 2
