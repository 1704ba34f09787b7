"""The folder a run writes into (``MMAR_CKPT_DIR``), and what becomes of the run that was there before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

from vesalia.errors import ResourceError
from vesalia.inference.checkpoint_names import BEST, FINAL
from vesalia.training.manifest import MANIFEST_FILE
from vesalia.training.state import STATE_FILE
from vesalia.training.tracking import HISTORY_FILE

__all__ = ["prepare_run_folder"]

_PATTERNS = (
    *(f"{name}{suffix}" for name in (BEST, FINAL) for suffix in (".safetensors", ".json")),
    STATE_FILE,
    MANIFEST_FILE,
    HISTORY_FILE,
    "events.out.tfevents.*",
)


def prepare_run_folder(folder: Path, *, resuming: bool) -> Path | None:
    """Make the run folder; unless ``resuming``, move an earlier run's files to ``previous/<time>/``.

    Returns:
        Where the earlier run went; None if there was none.

    Raises:
        ResourceError: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if resuming:
            return None
        return _set_aside(folder, [path for pattern in _PATTERNS for path in sorted(folder.glob(pattern))])
    except OSError as error:
        message = (
            f"{folder}: found that it cannot be written ({error.strerror}), expected a writable run folder; "
            "write another MMAR_CKPT_DIR"
        )
        raise ResourceError(message) from error


def _set_aside(folder: Path, files: list[Path]) -> Path | None:
    if not files:
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (stamp if count == 0 else f"{stamp}-{count}" for count in range(1000))
    kept = next(path for name in names if not (path := folder / "previous" / name).exists())
    kept.mkdir(parents=True)
    for path in files:
        path.rename(kept / path.name)
    return kept
