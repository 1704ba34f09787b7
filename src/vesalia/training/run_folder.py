"""The folder a run writes into (``MMAR_CKPT_DIR``), and what becomes of the run that was there before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vesalia.errors import CheckpointError, ResourceError
from vesalia.inference.card import read_card
from vesalia.inference.checkpoint_names import (
    BEST,
    FINAL,
    MANIFEST_FILE,
    card_file,
    checkpoint_prefix,
    weights_file,
)
from vesalia.inference.curves import HISTORY_FILE
from vesalia.runtime.files import UNFINISHED
from vesalia.training.state import STATE_PATTERNS, Counters

__all__ = ["Rival", "best_sha256", "find_rival", "lock_run_folder", "prepare_run_folder"]

_LOCK_FILE = ".lock"
_PATTERNS = (
    *(f"{name}{suffix}" for name in (BEST, FINAL) for suffix in (".safetensors", ".json")),
    *STATE_PATTERNS,
    MANIFEST_FILE,
    HISTORY_FILE,
    "events.out.tfevents.*",
)


@contextlib.contextmanager
def lock_run_folder(folder: Path) -> Iterator[None]:
    """Keep the run folder to one training at a time; the lock goes with the process, however that ends.

    Raises:
        ResourceError: Another training has it, or the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK_FILE, timeout=0)
        lock.acquire()
    except Timeout as error:
        message = (
            f"{folder}: found that another training writes there, expected a run folder of its own; write another "
        )
        raise ResourceError(message + "MMAR_CKPT_DIR, or wait for the other to end") from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / _LOCK_FILE).unlink()  # before the release: nobody else can have made it anew
        lock.release()


def best_sha256(folder: Path) -> str:
    """The hash of the best model in the folder, empty where there is none."""
    with contextlib.suppress(CheckpointError):
        return str(read_card(folder / BEST)["sha256"])
    return ""


@dataclass(frozen=True, slots=True)
class Rival:
    """A best model that the state knows nothing of: a kill came between its writing and the state's.

    The run comes to it again. It does so to the bit on a CPU; where it does not, a worse model must not replace it.

    Attributes:
        value: Its key metric.
        epoch: Its epoch; 0 for no such model.
    """

    value: float = -math.inf
    epoch: int = 0


def find_rival(folder: Path, counters: Counters) -> Rival:
    """The best model in the folder if it is better than any that the state knows of."""
    with contextlib.suppress(CheckpointError):
        card = read_card(folder / BEST)
        value = (card.get("metric") or {}).get("value")
        ours = card["sha256"] != counters.start_sha256
        if ours and isinstance(value, float) and value > counters.best:
            return Rival(value, int(card.get("epoch", 0)))
    return Rival()


def prepare_run_folder(folder: Path, *, resuming: bool, start: Path | None = None) -> Path | None:
    """Make the run folder; unless ``resuming``, move an earlier run's files to ``previous/<time>/``.

    Args:
        folder: The run folder.
        resuming: Whether the files there are this run's own.
        start: Weights that the run starts from (``MMAR_CKPT``); if they lie here, they stay as well.

    Returns:
        Where the earlier run went; None if there was none.

    Raises:
        ResourceError: The folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for torn in folder.glob(UNFINISHED):  # by a run that was killed; the lock says that nobody writes now
            torn.unlink(missing_ok=True)
        if resuming:
            return None
        files = [path for pattern in _PATTERNS for path in sorted(folder.glob(pattern))]
        return _set_aside(folder, files, staying=_pair(start) if start else set())
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ResourceError:
    return ResourceError(
        f"{folder}: found that it cannot be written ({error.strerror}), expected a writable run folder; "
        "write another MMAR_CKPT_DIR"
    )


def _pair(name: Path) -> set[Path]:
    prefix = checkpoint_prefix(name)
    return {weights_file(prefix).resolve(), card_file(prefix).resolve()}


def _set_aside(folder: Path, files: list[Path], *, staying: set[Path]) -> Path | None:
    if not files:
        return None
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (stamp if count == 0 else f"{stamp}-{count}" for count in range(1000))
    kept = next(path for name in names if not (path := folder / "previous" / name).exists())
    kept.mkdir(parents=True)
    for path in files:
        if path.resolve() in staying:
            shutil.copy2(path, kept / path.name)
        else:
            path.rename(kept / path.name)
    return kept
