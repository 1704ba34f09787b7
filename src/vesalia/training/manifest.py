"""The run's manifest: everything that decided the result, written beside the weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vesalia.errors import CheckpointError, ConfigError
from vesalia.inference.card import read_card
from vesalia.inference.checkpoint_names import MANIFEST_FILE
from vesalia.mmar.plan import TrainPlan
from vesalia.runtime import machine
from vesalia.runtime.files import write_json
from vesalia.runtime.git_state import commit_of
from vesalia.runtime.jsonfile import as_json, read_json

__all__ = [
    "changes",
    "describe_run",
    "hash_all",
    "hash_code",
    "hash_file",
    "hash_start",
    "note_resumption",
    "write_manifest",
]

_WHOLE_BELOW_BYTES = 64 * 2**20
_SAMPLE_BYTES = 2**20


def hash_file(path: Path) -> str:
    """A BLAKE2b hash of a file; above 64 MiB, of its size and its first and last MiB (marked ``sampled:``)."""
    size = path.stat().st_size
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        if size <= _WHOLE_BELOW_BYTES:
            digest.update(stream.read())
            return digest.hexdigest()
        digest.update(str(size).encode() + stream.read(_SAMPLE_BYTES))
        stream.seek(-_SAMPLE_BYTES, 2)
        digest.update(stream.read())
    return f"sampled:{digest.hexdigest()}"


def hash_all(files: Iterable[Path]) -> dict[str, str]:
    """File name to hash, of each file once."""
    unique = sorted(set(files))
    with ThreadPoolExecutor(2, thread_name_prefix="hash") as pool:
        return dict(zip(map(str, unique), pool.map(hash_file, unique), strict=True))


def hash_code(plan: TrainPlan) -> dict[str, str]:
    """The archive's own code, by its name in the archive; nothing is run."""
    root = plan.archive.root
    files = hash_all(plan.archive.custom.rglob("*.py")) if plan.archive.custom.is_dir() else {}
    return {Path(file).relative_to(root).as_posix(): value for file, value in files.items()}


def hash_start(plan: TrainPlan) -> str | None:
    """The hash of the weights that a run starts from (``MMAR_CKPT``); None where there are none."""
    if plan.checkpoint is None:
        return None
    try:
        return str(read_card(plan.checkpoint)["sha256"])
    except CheckpointError:
        return None


def describe_run(
    plan: TrainPlan,
    *,
    seed: int,
    data: Mapping[str, Iterable[Path]],
    precision: str,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest as plain data.

    Args:
        plan: What was asked.
        seed: The run's seed.
        data: Data-list key to the files it names.
        precision: Number format of the network.
        options: How it is run: ``device``, ``world``, ``budget``.
    """
    return {
        "format": 1,
        **_session(seed, precision),
        "archive": str(plan.archive.root),
        "config_file": str(plan.config_file),
        **_settings(plan),
        "options": dict(options or {}),
        "start": hash_start(plan),
        "code": hash_code(plan),
        "data": {key: hash_all(files) for key, files in data.items()},
        "machine": machine.describe(),
        "git": {"commit": commit_of(plan.archive.root)},
    }


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write ``manifest.json`` into the run folder."""
    path = folder / MANIFEST_FILE
    write_json(path, manifest)
    return path


def note_resumption(plan: TrainPlan, *, seed: int, precision: str) -> bool:
    """Add this session to the manifest of the run that it goes on with, under ``resumed``.

    Args:
        plan: What is asked now; ``changes`` lists what differs from what the run began with.
        seed: The run's seed.
        precision: Number format of the network.

    Returns:
        Whether there was a manifest that could be read.
    """
    path = plan.checkpoint_dir / MANIFEST_FILE
    try:
        manifest = read_json(path)
    except ConfigError:
        return False
    if not isinstance(manifest, dict):
        return False
    settings = _settings(plan)
    changed = changes({name: manifest.get(name) for name in settings}, as_json(settings))
    session = {**_session(seed, precision), "changes": changed}
    write_json(path, {**manifest, "resumed": [*manifest.get("resumed", []), session]})
    return True


def _session(seed: int, precision: str) -> dict[str, Any]:
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        "seed": seed,
        "precision": precision,
        "versions": machine.versions(),
    }


def _settings(plan: TrainPlan) -> dict[str, Any]:
    return {"config": plan.raw, "variables": dict(plan.variables)}


def changes(before: Any, now: Any, *, key: str = "") -> dict[str, dict[str, Any]]:
    """What differs between two pieces of JSON data, by key path."""
    if isinstance(before, list) and isinstance(now, list):
        before, now = (dict(enumerate(part)) for part in (before, now))
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return {} if before == now else {key: {"before": before, "now": now}}
    found: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys((*before, *now)):
        inner = f"{key}[{name}]" if isinstance(name, int) else f"{key}.{name}" if key else name
        found |= changes(before.get(name), now.get(name), key=inner)
    return found
