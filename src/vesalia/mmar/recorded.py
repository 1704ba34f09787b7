"""A training as its manifest records it, ready to be planned again."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError
from vesalia.mmar.environment import ENVIRONMENT_NAMES
from vesalia.mmar.overrides import parse_set
from vesalia.mmar.settings import TRAIN_SETTINGS
from vesalia.runtime.jsonfile import read_json

__all__ = ["Recorded", "read_recorded", "record_of"]

_PLACES = ("DATASET_JSON", "DATA_ROOT")
"""Variables that stand in a recorded config as the paths they were; another path for them replaces these."""
_OWN = "MMAR_ROOT"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a manifest says was trained.

    Attributes:
        file: The manifest.
        archive: The archive's folder then.
        config_name: The config's name in it.
        config: The config, with variables and overrides in place.
        variables: Every variable.
        seed: The run's seed.
        manifest: All of it.
    """

    file: Path
    archive: Path
    config_name: str
    config: Mapping[str, Any]
    variables: Mapping[str, Any]
    seed: int
    manifest: Mapping[str, Any]

    @property
    def device(self) -> str:
        """The kind of device it was trained on; ``auto`` where older manifests do not say."""
        options = self.manifest.get("options")
        return str(options.get("device", "auto")) if isinstance(options, Mapping) else "auto"

    @property
    def environment(self) -> dict[str, Any]:
        """The variables that have a meaning of their own; the others stand in the config already."""
        known = (ENVIRONMENT_NAMES | TRAIN_SETTINGS.keys()) - {_OWN}
        return {name: value for name, value in self.variables.items() if name in known}

    def placed(self, root: Path, overrides: Sequence[str] = ()) -> Recorded:
        """The same with its paths in an archive at ``root``, and data where ``overrides`` say.

        Args:
            root: The archive's folder now.
            overrides: ``NAME=value`` texts, as after ``--set``.

        Raises:
            ConfigError: Some are not ``NAME=value``.
        """
        given = parse_set(overrides)
        moves = {str(self.archive): str(root.absolute())}
        for name in _PLACES:
            if given.get(name) and self.variables.get(name):
                moves[str(self.variables[name])] = str(_found(str(given[name]), root))
        longest_first = dict(sorted(moves.items(), key=lambda move: -len(move[0])))
        config, variables, data = (
            _moved(part, longest_first) for part in (self.config, self.variables, self.manifest.get("data", {}))
        )
        return replace(self, config=config, variables=variables, manifest={**self.manifest, "data": data})


def read_recorded(file: Path) -> Recorded:
    """The training that a manifest records.

    Raises:
        ConfigError: The file cannot be read, or is no manifest.
    """
    content = read_json(file)
    wanted = {"archive": str, "config_file": str, "config": dict, "variables": dict, "seed": int}
    lacks = [name for name, kind in wanted.items() if not isinstance(_member(content, name), kind)]
    if lacks:
        message = f"{file}: found a file without {', '.join(lacks)}, expected the manifest.json of a training; write "
        raise ConfigError(message + "--from-manifest models/manifest.json")
    archive = Path(content["archive"])
    config_file = Path(content["config_file"])
    inside = config_file.is_relative_to(archive)
    return Recorded(
        file,
        archive,
        str(config_file.relative_to(archive)) if inside else config_file.name,
        config=content["config"],
        variables=content["variables"],
        seed=content["seed"],
        manifest=content,
    )


def record_of(manifest: str | os.PathLike[str] | None, root: Path, *, overrides: Sequence[str] = ()) -> Recorded | None:
    """The training that ``manifest`` records, placed in an archive at ``root``; None without a manifest.

    Args:
        manifest: The file.
        root: The archive's folder now.
        overrides: ``NAME=value`` texts, as after ``--set``.

    Raises:
        ConfigError: The file is no manifest, or an override is not ``NAME=value``.
    """
    return None if manifest is None else read_recorded(Path(manifest)).placed(root, overrides)


def _member(content: Any, name: str) -> Any:
    return content.get(name) if isinstance(content, dict) else None


def _found(path: str, root: Path) -> Path:
    """A path of ``--set``: where it is from here, or else from the archive."""
    place = Path(path).expanduser()
    return place.absolute() if place.is_absolute() or place.exists() else (root / place).absolute()


def _moved(node: Any, moves: Mapping[str, str]) -> Any:
    """JSON data whose paths, keys of objects included, begin with other folders."""
    if isinstance(node, Mapping):
        return {_moved(key, moves): _moved(value, moves) for key, value in node.items()}
    if isinstance(node, list):
        return [_moved(value, moves) for value in node]
    if isinstance(node, str):
        for old, new in moves.items():
            if node == old or node.startswith(f"{old}/"):
                return new + node[len(old) :]
    return node
