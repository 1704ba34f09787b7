"""The run's manifest: everything that decided the result, written beside the weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from vesalia.mmar.plan import TrainPlan
from vesalia.runtime import machine
from vesalia.runtime.files import write_json

__all__ = ["MANIFEST_FILE", "describe_run", "hash_file", "write_manifest"]

MANIFEST_FILE = "manifest.json"
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


def _hash_all(files: Iterable[Path]) -> dict[str, str]:
    unique = sorted(set(files))
    with ThreadPoolExecutor(2, thread_name_prefix="hash") as pool:
        return dict(zip(map(str, unique), pool.map(hash_file, unique), strict=True))


def _git_state(folder: Path) -> dict[str, Any]:
    """Commit and cleanliness of the checkout around ``folder``; empty outside of one."""

    def ask(*words: str) -> str:
        answer = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(folder), *words],  # noqa: S607 - the git that the user has
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return answer.stdout.strip() if answer.returncode == 0 else ""

    try:
        commit = ask("rev-parse", "HEAD")
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {"commit": commit, "changed": bool(ask("status", "--porcelain"))} if commit else {}


def describe_run(plan: TrainPlan, *, seed: int, data: Mapping[str, Iterable[Path]], precision: str) -> dict[str, Any]:
    """The manifest as plain data.

    Args:
        plan: What was asked.
        seed: The run's seed.
        data: Data-list key to the files it names.
        precision: Number format of the network.
    """
    return {
        "format": 1,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "command": sys.argv,
        "archive": str(plan.archive.root),
        "config_file": str(plan.config_file),
        "config": plan.raw,
        "variables": dict(plan.variables),
        "seed": seed,
        "precision": precision,
        "data": {key: _hash_all(files) for key, files in data.items()},
        "versions": machine.versions(),
        "machine": machine.describe(),
        "git": _git_state(plan.archive.root),
    }


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Write ``manifest.json`` into the run folder."""
    path = folder / MANIFEST_FILE
    write_json(path, manifest)
    return path
