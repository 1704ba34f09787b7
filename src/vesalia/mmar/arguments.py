"""The ``args`` of a component against its constructor: the signature is the schema."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.findings import Findings
from vesalia.mmar.v3_arguments import current_argument, without_effect
from vesalia.registry.catalog import FILLED, INJECTED
from vesalia.registry.kinds import Mismatch, coerce, describe, shown
from vesalia.registry.signature import Parameter, Signature
from vesalia.runtime.nearness import nearest

__all__ = ["check_arguments"]

_PATHS = frozenset(
    {
        "data_list_file_path",
        "data_file_base_dir",
        "checkpoint_dir",
        "model_file_path",
        "report_path",
        "write_path",
        "out_dir",
    }
)
_WRITTEN = frozenset({"report_path", "write_path", "out_dir"})
_HINTS: Mapping[tuple[str, str], str] = {
    ("optimizer", "lr"): "learning_rate at the top level of the config, and nothing here",
    ("optimizer", "learning_rate"): "learning_rate at the top level of the config, and nothing here",
    ("model", "in_channels"): "output_image_channels in train.image_pipeline.args, and nothing here",
}
_USUAL: Mapping[tuple[str, str], str] = {("metric", "field"): '"model"'}
"""Slot and argument that must be given, then what nearly all configs write."""


def check_arguments(
    args: object,
    signature: Signature,
    *,
    slot: str,
    key: str,
    archive: ArchiveFolder,
    findings: Findings,
    injected: Collection[str] | None = None,
    component: str = "",
) -> dict[str, Any]:
    """The typed arguments; what is wrong with them is reported, and left out.

    Args:
        args: What the config holds.
        signature: The constructor.
        slot: The slot of the component.
        key: Key path of the component.
        archive: The archive, for arguments that are paths.
        findings: Where faults go.
        injected: Parameters that a config must not name; None for those of the slot.
        component: The name of a component that ships: what v3's of that name took as well is let pass.
    """
    key = f"{key}.args"
    if not isinstance(args, Mapping):
        findings.fault(key, found=shown(args), expected="an object with the arguments by name", write='{"name": value}')
        return {}
    hidden = INJECTED.get(slot, ()) if injected is None else injected
    parameters = {name: parameter for name, parameter in signature.parameters.items() if name not in hidden}
    typed: dict[str, Any] = {}
    for written, value in args.items():
        name = current_argument(written, component=component or "") if written not in parameters else written
        if name != written and name in args:
            _report_twice(written, name, key, findings)
        elif name in parameters:
            typed.update(_typed(value, parameters[name], f"{key}.{written}", archive, findings))
        elif signature.is_open:
            typed[name] = value
        elif component and without_effect(name, slot=slot, component=component):
            findings.warn(f"{key}.{name}", found="an argument of v3", expected="nothing: it has no effect here")
        else:
            _report_unknown(name, slot, key, parameters=parameters, given=args, findings=findings)
    needed = {name: parameter for name, parameter in parameters.items() if name not in FILLED.get(slot, ())}
    _report_missing(needed, {**args, **typed}, slot, key=key, findings=findings)
    return typed


def _typed(value: object, parameter: Parameter, key: str, archive: ArchiveFolder, findings: Findings) -> dict[str, Any]:
    if findings.is_unresolved(key):
        return {}
    result = coerce(value, parameter.annotation)
    if isinstance(result, Mismatch):
        findings.fault(key, found=shown(value), expected=result.expected, write=result.write)
        return {}
    if parameter.name in _PATHS and isinstance(result, str) and result:
        result = _placed(result, parameter.name, key, archive, findings)
    return {parameter.name: result}


def _placed(path: str, name: str, key: str, archive: ArchiveFolder, findings: Findings) -> str:
    """A path made absolute; one that is written to must not leave the archive by ``..``."""
    placed = Path(os.path.normpath(archive.root / path))
    if name in _WRITTEN and not Path(path).is_absolute() and not placed.is_relative_to(archive.root):
        findings.fault(
            key,
            found=f"{shown(path)}, which leaves the archive",
            expected="a folder inside the archive, or an absolute path",
            write='"{MMAR_EVAL_OUTPUT_PATH}"',
        )
    return str(placed)


def _report_twice(written: str, name: str, key: str, findings: Findings) -> None:
    found = f"{written} beside {name}, which mean the same"
    findings.fault(f"{key}.{written}", found=found, expected="one of them", write="nothing here")


def _report_unknown(
    name: str,
    slot: str,
    key: str,
    *,
    parameters: Collection[str],
    given: Collection[str],
    findings: Findings,
) -> None:
    near = None if (slot, name) in _HINTS else nearest(name, [entry for entry in parameters if entry not in given])
    write = _HINTS.get((slot, name), "nothing here")
    if near is not None:
        findings.meant.add(f"{key}.{near}")
        write = f"{near} (did you mean this?)"
    expected = f"one of {', '.join(parameters)}" if parameters else "no arguments"
    findings.fault(f"{key}.{name}", found="an argument that does not exist", expected=expected, write=write)


def _report_missing(
    parameters: Mapping[str, Parameter], given: Collection[str], slot: str, *, key: str, findings: Findings
) -> None:
    for name, parameter in parameters.items():
        if parameter.required and name not in given and f"{key}.{name}" not in findings.meant:
            kind = describe(parameter.annotation)
            write = _USUAL.get((slot, name), kind.write)
            findings.fault(f"{key}.{name}", found="nothing", expected=kind.expected, write=f'"{name}": {write}')
