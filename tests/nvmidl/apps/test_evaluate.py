"""``python -m nvmidl.apps.evaluate``, as ``validate.sh`` and ``infer.sh`` of an old archive call it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nvmidl.apps.evaluate import main


def set_in(archive: Path, file: str, **values: object) -> None:
    """Write settings into a config or the environment."""
    path = archive / "config" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


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


@pytest.mark.parametrize("file", ["config_validation.json", "environment.json"])
def test_the_switch_may_stand_in_the_config_or_the_environment(
    trained: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    set_in(trained, file, do_validation=False, output_infer_result=True)
    assert "metrics" not in evaluate(capsys, trained)
    assert predictions(trained) == 2
    assert "mean_dice" in evaluate(capsys, trained, "do_validation=true")["metrics"]


def test_the_environment_wins_over_the_config(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_in(trained, "config_validation.json", do_validation=False)
    set_in(trained, "environment.json", do_validation=True)
    assert "mean_dice" in evaluate(capsys, trained)["metrics"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["do_validation=false", "output_infer_result=false"], "expected something to do"),
        (["do_validation=perhaps"], "do_validation"),
        (["do_validation"], "--set"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused_once(
    trained: Path, capsys: pytest.CaptureFixture[str], settings: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["-m", str(trained), "-c", "config/config_validation.json", "--json", "--set", *settings])
    said = capsys.readouterr()
    assert left.value.code == 2
    assert words in said.err
    (answer,) = said.out.splitlines()
    assert (json.loads(answer)["ok"], json.loads(answer)["error"]) == (False, "ConfigError")
    assert predictions(trained) == 0
