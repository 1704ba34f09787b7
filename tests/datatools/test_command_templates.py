"""The scripts of a new archive, run by a shell with a Python that only repeats its arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging.config
import subprocess
from pathlib import Path

import pytest

from vesalia.datatools.command_templates import LOG_CONFIG, command_scripts

ECHO = '#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n'


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    folder = tmp_path / "my archive" / "commands"
    folder.mkdir(parents=True)
    for name, text in {**command_scripts(), "python": ECHO}.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def run(commands: Path, script: str, *words: str) -> list[str]:
    environment = {"PATH": "/usr/bin:/bin", "PYTHON": str(commands / "python")}
    arguments = [str(commands / script), *words]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, env=environment, cwd="/")
    return done.stdout.splitlines()


def test_training(commands: Path) -> None:
    root = str(commands.parent)
    start = ["-m", "nvmidl.apps.train", "-m", root, "-c", "config/config_train.json", "-e", "config/environment.json"]
    assert run(commands, "train.sh") == [*start, "--set"]
    assert run(commands, "train.sh", "epochs=2", "DATA_ROOT=/a b") == [*start, "--set", "epochs=2", "DATA_ROOT=/a b"]


def test_training_goes_on_from_the_best_model(commands: Path) -> None:
    words = run(commands, "train_finetune.sh", "epochs=2")
    assert words[-3:] == ["--set", f"MMAR_CKPT={commands.parent}/models/model.ckpt", "epochs=2"]


def test_training_on_several_gpus(commands: Path) -> None:
    words = run(commands, "train_multi_gpu.sh", "epochs=2")
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "gpu", "-m", "nvmidl.apps.train"]
    assert words[: len(start)] == start
    assert words[-3:] == ["--set", "multi_gpu=true", "epochs=2"]


def test_export(commands: Path) -> None:
    assert run(commands, "export.sh", "--to", "onnx") == [
        "-m",
        "vesalia",
        "export",
        str(commands.parent),
        "--to",
        "onnx",
    ]


@pytest.mark.parametrize(
    ("script", "judge", "write"), [("validate.sh", "true", "false"), ("infer.sh", "false", "true")]
)
def test_evaluation(commands: Path, script: str, judge: str, write: str) -> None:
    words = run(commands, script)
    assert words[:2] == ["-m", "nvmidl.apps.evaluate"]
    assert "config/config_validation.json" in words
    assert words[-2:] == [f"do_validation={judge}", f"output_infer_result={write}"]


def test_every_script_says_what_it_does() -> None:
    for text in command_scripts().values():
        first, second = text.splitlines()[:2]
        assert first == "#!/bin/sh"
        assert second.startswith("# ")


def test_the_log_config_is_one_that_python_reads(tmp_path: Path) -> None:
    file = tmp_path / "log.config"
    file.write_text(LOG_CONFIG, encoding="utf-8")
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logging.config.fileConfig(file, disable_existing_loggers=False)
        assert root.level == logging.INFO
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
