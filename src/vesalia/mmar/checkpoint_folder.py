"""Where an archive keeps its weights, told from its environment alone: no config is read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vesalia.errors import ConfigError, Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.environment import gather
from vesalia.mmar.findings import Findings
from vesalia.mmar.overrides import parse_set
from vesalia.registry.kinds import shown
from vesalia.runtime.jsonfile import read_json

__all__ = ["checkpoint_folder"]


def checkpoint_folder(archive: ArchiveFolder, *, environment: str | Path, overrides: Sequence[str] = ()) -> Path:
    """``MMAR_CKPT_DIR``: of ``--set``, else of the environment (which may be missing), else ``models``.

    Args:
        archive: The archive.
        environment: The environment, relative to the archive.
        overrides: ``NAME=value`` texts, as after ``--set``.

    Raises:
        ConfigError: The environment or an override cannot be read, or a path in it leaves the archive.
    """
    file = archive.inside(environment)
    name = archive.shown(file)
    content = read_json(file, name) if file.exists() else {}
    if not isinstance(content, dict):
        raise ConfigError(faults=[Fault(name, "", shown(content), "a JSON object", "{ ... }")])
    findings = Findings(name)
    variables = gather(
        archive, findings, config={}, environment=content, environment_file=name, overrides=parse_set(overrides)
    )
    if findings.faults:
        raise ConfigError(faults=findings.faults)
    return Path(str(variables["MMAR_CKPT_DIR"].value))
