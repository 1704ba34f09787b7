"""Where a v4 config enters: its sections are replaced by their translation before anything else reads them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.environment import Variable, located
from vesalia.mmar.findings import Findings
from vesalia.mmar.v4.evaluation import translate_evaluation
from vesalia.mmar.v4.recognise import EVALUATE_NAMES, TRAIN_NAMES, is_v4
from vesalia.mmar.v4.training import translate_training
from vesalia.mmar.v4.translation import Translation
from vesalia.mmar.variables import Unresolved, substitute
from vesalia.runtime.jsonfile import read_json

__all__ = ["V4", "own_names", "read_v4"]


@dataclass(frozen=True, slots=True)
class V4:
    """A config that was one of v4.

    Attributes:
        config: The config in v3's form, with variables in place.
        variables: Every variable, ours among them.
        missing: Variables that are not set.
    """

    config: dict[str, Any]
    variables: dict[str, Variable]
    missing: list[Unresolved]


def own_names(config: Mapping[str, Any], own: frozenset[str]) -> frozenset[str]:
    """The top-level keys that a config may have: ``own`` for one of v3."""
    if not is_v4(config):
        return own
    return TRAIN_NAMES if "train" in own else EVALUATE_NAMES


def read_v4(
    config: Mapping[str, Any],
    variables: Mapping[str, Variable],
    *,
    archive: ArchiveFolder,
    own: frozenset[str],
    findings: Findings,
) -> V4:
    """Translate a config whose variables are in place.

    Args:
        config: The config.
        variables: Every variable.
        archive: The archive.
        own: The names of this kind of config in v3, which tell the kind.
        findings: Where faults and warnings go, by the user's key paths.
    """
    values = {name: variable.value for name, variable in variables.items()}

    def count(file: str, key: str) -> int | None:
        filled = substitute(file, values)[0]
        return _items(archive.root / str(filled), key)

    if "train" in own:
        done = translate_training(config, findings.file, values=values, count=count)
    else:
        done = translate_evaluation(config, findings.file, values=values)
    findings.faults += done.draft.faults
    findings.settle(done.draft.places)
    if done.draft.notes:
        ordered = sorted(done.draft.notes, key=lambda note: note.startswith("validate."))
        table = "".join(f"\n  {note}" for note in ordered)
        findings.warnings.append(Fault(findings.file, "", f"a config of Clara Train v4, which is read as{table}"))
    found = {name: each for name, each in variables.items() if name not in done.unset}
    found |= _settings(done, variables, archive, findings)
    filled, missing = substitute(done.config, {name: each.value for name, each in found.items()})
    return V4(filled, found, missing)


def _settings(
    done: Translation, variables: Mapping[str, Variable], archive: ArchiveFolder, findings: Findings
) -> dict[str, Variable]:
    made: dict[str, Variable] = {}
    for name, (value, key) in done.settings.items():
        own = variables.get(key)
        variable = replace(own, name=name) if own else Variable(name, value, "config", findings.file)
        made[name] = located(variable, archive, findings=findings)
    return made


def _items(file: Path, key: str) -> int | None:
    try:
        data = read_json(file)
    except ConfigError:
        return None
    found = data.get(key) if isinstance(data, Mapping) else None
    return len(found) if isinstance(found, list) else None
