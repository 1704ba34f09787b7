"""A written archive is complete, can be planned at once, and runs from anywhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import logging.config
import os
import subprocess
from pathlib import Path

import pytest

from tests.mmar.archives import DATASET, ENVIRONMENT, TRAIN, VALIDATION
from vesalia.errors import ArchiveError
from vesalia.mmar.archive import FOLDERS, ArchiveFolder
from vesalia.mmar.validate import plan_evaluation, plan_training
from vesalia.mmar.write import write_archive


def written(root: Path) -> ArchiveFolder:
    return write_archive(
        root,
        config_train=TRAIN,
        config_validation=VALIDATION,
        environment=ENVIRONMENT,
        documents={"README.md": "# Card\n"},
        configs={"dataset.json": DATASET},
    )


def test_it_has_all_folders_and_can_be_planned(tmp_path: Path) -> None:
    archive = written(tmp_path / "new")
    (archive.root / "data").mkdir()
    assert {folder.name for folder in archive.root.iterdir()} == {*FOLDERS, "data"}
    assert (archive.docs / "README.md").read_text() == "# Card\n"
    assert plan_training(archive.root).epochs == 10
    assert plan_evaluation(archive.root).writers


def test_the_logging_configuration_is_sound(tmp_path: Path) -> None:
    text = (written(tmp_path / "new").resources / "log.config").read_text()
    assert "level=INFO" in text
    level, handlers = logging.root.level, list(logging.root.handlers)
    try:
        logging.config.fileConfig(tmp_path / "new" / "resources" / "log.config", disable_existing_loggers=False)
    finally:
        logging.root.setLevel(level)
        logging.root.handlers[:] = handlers


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("train.sh", ["nvmidl.apps.train", "config/config_train.json", "epochs=3"]),
        (
            "train_finetune.sh",
            ["nvmidl.apps.train", "config/config_train.json", "MMAR_CKPT={root}/models/model", "epochs=3"],
        ),
        (
            "validate.sh",
            [
                "nvmidl.apps.evaluate",
                "config/config_validation.json",
                "do_validation=true",
                "output_infer_result=false",
                "epochs=3",
            ],
        ),
        (
            "infer.sh",
            [
                "nvmidl.apps.evaluate",
                "config/config_validation.json",
                "do_validation=false",
                "output_infer_result=true",
                "epochs=3",
            ],
        ),
    ],
)
def test_scripts_run_from_anywhere_and_need_nothing_sourced(tmp_path: Path, script: str, arguments: list[str]) -> None:
    root = written(tmp_path / "a folder").root
    fake = tmp_path / "bin" / "python"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}"}
    said = subprocess.run(
        [root / "commands" / script, "epochs=3"], cwd="/", env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    module, config, *values = arguments
    assert said == [
        "-m",
        module,
        "-m",
        str(root),
        "-c",
        config,
        "-e",
        "config/environment.json",
        "--set",
        *[value.format(root=root) for value in values],
    ]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(ArchiveError, match="found a folder that is not empty"):
        written(tmp_path / "full")
    with pytest.raises(ArchiveError, match="found a file"):
        written(tmp_path / "full" / "x")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["x"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert json.loads((written(tmp_path / "new").config / "environment.json").read_text()) == ENVIRONMENT
