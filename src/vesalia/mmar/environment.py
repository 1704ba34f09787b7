"""Where values come from: ``--set`` before ``environment.json`` before the config; and which of them are paths."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vesalia.errors import Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.findings import Findings
from vesalia.mmar.variables import substitute, text_of
from vesalia.registry.kinds import shown

__all__ = ["ENVIRONMENT_NAMES", "Origin", "Variable", "gather", "located"]

Origin = Literal["set", "environment", "config", "default"]

_PATHS = frozenset(
    {
        "DATA_ROOT",
        "DATASET_JSON",
        "MMAR_CKPT",
        "MMAR_CKPT_DIR",
        "MMAR_EVAL_OUTPUT_PATH",
        "MMAR_TORCHSCRIPT",
        "PRETRAIN_WEIGHTS_FILE",
    }
)
_WRITTEN = frozenset({"MMAR_CKPT_DIR", "MMAR_EVAL_OUTPUT_PATH"})
_DEFAULTS = {"MMAR_CKPT_DIR": "models", "MMAR_EVAL_OUTPUT_PATH": "eval", "PRETRAIN_WEIGHTS_FILE": ""}
_TASKS = ("segmentation", "classification", "annotation")

ENVIRONMENT_NAMES: frozenset[str] = _PATHS | {"PROCESSING_TASK", "DATA_LIST_KEY", "MMAR_ROOT"}
"""The names that v3 gives a meaning in ``environment.json`` and ``--set``, besides the top-level keys of a config."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A value with a name that ``{NAME}`` and the top level of a config can read.

    Attributes:
        name: Its name.
        value: Its value; paths are absolute.
        origin: Which of the sources won.
        file: That source, as messages name it.
    """

    name: str
    value: object
    origin: Origin
    file: str


def gather(
    archive: ArchiveFolder,
    findings: Findings,
    *,
    config: Mapping[str, Any],
    environment: Mapping[str, Any],
    environment_file: str,
    overrides: Mapping[str, object],
) -> dict[str, Variable]:
    """Every variable, by name, with paths made absolute.

    A relative path in a file is meant from the archive's root. One from ``--set`` is meant from the current folder
    where it exists there (the habit of a shell), and from the archive's root otherwise (as old scripts mean it).
    """
    layers: tuple[tuple[Origin, str, Mapping[str, object]], ...] = (
        ("default", "(default)", {**_DEFAULTS, "MMAR_ROOT": str(archive.root)}),
        ("config", findings.file, _scalars(config)),
        ("environment", environment_file, _scalars(environment)),
        ("set", "--set", overrides),
    )
    raw = {name: Variable(name, value, origin, file) for origin, file, layer in layers for name, value in layer.items()}
    variables = {name: _resolved(variable, raw, findings) for name, variable in raw.items()}
    _check_task(variables.get("PROCESSING_TASK"), findings)
    return {name: located(variable, archive, findings=findings) for name, variable in variables.items()}


def _scalars(data: Mapping[str, Any]) -> dict[str, object]:
    return {name: value for name, value in data.items() if not isinstance(value, dict | list)}


def _resolved(
    variable: Variable, raw: Mapping[str, Variable], findings: Findings, trail: tuple[str, ...] = ()
) -> Variable:
    """The variable with the variables inside its own value put in place."""
    if not isinstance(variable.value, str) or "{" not in variable.value:
        return variable
    if variable.name in trail:
        if variable.name == trail[0]:
            found = f"variables that need each other ({' -> '.join([*trail, variable.name])})"
            findings.faults.append(Fault(variable.file, variable.name, found, "no circle", "a value"))
        return replace(variable, value="")
    known = {
        name: _resolved(other, raw, findings, (*trail, variable.name)).value
        for name, other in raw.items()
        if f"{{{name}}}" in variable.value
    }
    value, missing = substitute(variable.value, known, key=variable.name)
    if variable.origin != "config" and not trail:  # the config's own text is reported where it is read
        findings.faults.extend(unresolved.fault(variable.file) for unresolved in missing)
    return replace(variable, value=value)


def _check_task(task: Variable | None, findings: Findings) -> None:
    if task is not None and task.value not in {*_TASKS, ""}:
        findings.faults.append(
            Fault(task.file, task.name, shown(task.value), f"one of {', '.join(_TASKS)}", '"segmentation"')
        )


def located(variable: Variable, archive: ArchiveFolder, *, findings: Findings) -> Variable:
    """The variable with an absolute path, if it is one of those that hold paths."""
    if variable.name not in _PATHS or variable.value in {None, ""}:
        return variable
    path = Path(text_of(variable.value)).expanduser()
    if path.is_absolute():
        return replace(variable, value=str(path))
    if variable.origin == "set" and _is_there(Path.cwd() / path, is_prefix=variable.name == "MMAR_CKPT"):
        return replace(variable, value=os.path.normpath(Path.cwd() / path))
    placed = Path(os.path.normpath(archive.root / path))
    if variable.name in _WRITTEN and variable.origin != "set" and not placed.is_relative_to(archive.root):
        findings.faults.append(
            Fault(
                variable.file,
                variable.name,
                f"{shown(variable.value)}, which leaves the archive",
                "a folder inside the archive, or an absolute path",
                f'"{_DEFAULTS[variable.name]}"',
            )
        )
    return replace(variable, value=str(placed))


def _is_there(path: Path, *, is_prefix: bool) -> bool:
    """Whether a path exists; a checkpoint is named by the beginning of its files' names (``model.ckpt``)."""
    if path.exists():
        return True
    return is_prefix and path.parent.is_dir() and any(path.parent.glob(f"{path.name.split('.')[0]}*"))
