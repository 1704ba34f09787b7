"""Writing an archive: all six folders, scripts that need nothing sourced, and files that are whole or not there."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vesalia.errors import ArchiveError, Fault
from vesalia.mmar.archive import FOLDERS, ArchiveFolder
from vesalia.runtime.files import write_json, write_text

__all__ = ["write_archive"]

_SCRIPT = """#!/usr/bin/env bash
# {purpose}
set -euo pipefail
MMAR_ROOT="$(cd "$(dirname "${{BASH_SOURCE[0]}}")/.." && pwd)"
exec python -m nvmidl.apps.{module} -m "$MMAR_ROOT" -c {config} -e config/environment.json --set {values}"$@"
"""
_TRAIN = "config/config_train.json"
_VALIDATION = "config/config_validation.json"
_SCRIPTS: Mapping[str, tuple[str, str, str, str]] = {
    "train.sh": ("Trains; arguments are NAME=value overrides.", "train", _TRAIN, ""),
    "train_finetune.sh": (
        "Trains on from the best model; arguments are NAME=value overrides.",
        "train",
        _TRAIN,
        'MMAR_CKPT="$MMAR_ROOT/models/model" ',
    ),
    "validate.sh": (
        "Judges the best model; arguments are NAME=value overrides.",
        "evaluate",
        _VALIDATION,
        "do_validation=true output_infer_result=false ",
    ),
    "infer.sh": (
        "Writes the best model's predictions; arguments are NAME=value overrides.",
        "evaluate",
        _VALIDATION,
        "do_validation=false output_infer_result=true ",
    ),
}
_LOG_CONFIG = """[loggers]
keys=root

[handlers]
keys=stdout

[formatters]
keys=plain

[logger_root]
level=INFO
handlers=stdout

[handler_stdout]
class=StreamHandler
formatter=plain
args=(sys.stdout,)

[formatter_plain]
format=%(asctime)s %(levelname)s %(name)s: %(message)s
"""


def write_archive(
    root: Path,
    *,
    config_train: Mapping[str, Any],
    config_validation: Mapping[str, Any],
    environment: Mapping[str, Any],
    documents: Mapping[str, str] | None = None,
    configs: Mapping[str, Mapping[str, Any]] | None = None,
) -> ArchiveFolder:
    """Write a new archive.

    Args:
        root: Its folder; must not exist, or be empty.
        config_train: Content of ``config/config_train.json``.
        config_validation: Content of ``config/config_validation.json``.
        environment: Content of ``config/environment.json``.
        documents: Texts for ``docs``, by file name.
        configs: Further JSON files for ``config``, by file name.

    Raises:
        ArchiveError: The folder has something in it already, or is a file.
        ResourceError: The disk is full or the folder cannot be written.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        found = "a folder that is not empty" if root.is_dir() else "a file"
        raise ArchiveError(faults=[Fault(str(root), "", found, "a new or an empty folder", "another path")])
    archive = ArchiveFolder(root.absolute())
    named = {
        "config_train.json": config_train,
        "config_validation.json": config_validation,
        "environment.json": environment,
        **(configs or {}),
    }
    for name, text in (documents or {}).items():
        write_text(archive.docs / name, text)
    for name, (purpose, module, config, values) in _SCRIPTS.items():
        script = archive.commands / name
        write_text(script, _SCRIPT.format(purpose=purpose, module=module, config=config, values=values))
        script.chmod(0o755)
    write_text(archive.resources / "log.config", _LOG_CONFIG)
    for folder in FOLDERS:
        (archive.root / folder).mkdir(parents=True, exist_ok=True)
    for name, data in named.items():
        write_json(archive.config / name, data)
    return archive
