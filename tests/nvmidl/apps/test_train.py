"""``python -m nvmidl.apps.train``, as ``commands/train.sh`` of an old archive calls it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nvmidl.apps.train import main


def test_an_archive_trains_as_its_own_script_asks_for_it(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-m", str(archive), "-c", "config/config_train.json", "-e", "config/environment.json"]
    with pytest.raises(SystemExit) as left:
        main([*words, "--write_train_stats", "--json", "--set", "epochs=1", "multi_gpu=false"])
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["epochs"] == 1
    assert (archive / "models" / "model.safetensors").exists()


def test_errors_are_the_same_as_ours(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["-m", str(archive), "-c", "config/gone.json"])
    assert left.value.code == 2
    assert "gone.json" in capsys.readouterr().err


def test_it_is_a_module_to_run() -> None:
    command = [sys.executable, "-m", "nvmidl.apps.train", "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0
    assert "python -m nvmidl.apps.train" in answer.stdout
