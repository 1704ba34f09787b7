"""What the system's control groups allow this process: those of a container, of a job in a cluster, of a service.

Groups lie within each other, and the smallest limit counts. Linux has two kinds of them, and machines that use both.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["cpu_limit", "memory_kills", "memory_left_bytes", "memory_limit_bytes"]

_PROCESS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")
_MACHINE = Path("/proc/vmstat")
_NO_LIMIT = 1 << 60
"""The first kind of groups writes a huge number where nothing is limited."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What a kind of groups calls its files.

    Attributes:
        limit: Bytes that may be used.
        used: Bytes that are used.
        kept: In ``memory.stat``: files that are kept in memory, and given back when it is needed.
        events: What has happened.
    """

    limit: str
    used: str
    kept: frozenset[str]
    events: str


_FIRST_KIND = _Names(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    frozenset({"total_inactive_file", "total_active_file"}),
    "memory.oom_control",
)
_SECOND_KIND = _Names("memory.max", "memory.current", frozenset({"inactive_file", "active_file"}), "memory.events")


def cpu_limit() -> float | None:
    """Processors' worth of time that this process and those of its groups may use; None where nothing is limited."""
    return min((share for folder, second in _folders("cpu") if (share := _share(folder, second))), default=None)


def _share(folder: Path, second: bool) -> float | None:
    """What a group may use of the processors' time, if that is limited."""
    if not second:
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        return quota / period if quota and period and quota > 0 else None
    try:
        allowed, per = map(int, (folder / "cpu.max").read_text().split())
        return allowed / per
    except (OSError, ValueError, ZeroDivisionError):  # ``max`` where nothing is limited
        return None


def memory_limit_bytes() -> int | None:
    """Bytes that this process and those of its groups may use together; None where nothing is limited."""
    return min((limit for _, _, limit in _limited()), default=None)


def memory_left_bytes() -> int | None:
    """What is left of the limits; None where nothing is limited.

    What a group holds of files in memory counts as left: the system gives it back when it is needed.
    """
    left = None
    for folder, names, limit in _limited():
        used = _number(folder / names.used)
        if used is not None:
            kept = sum(_table(folder / "memory.stat").get(name, 0) for name in names.kept)
            room = max(0, limit - max(0, used - kept))
            left = room if left is None else min(left, room)
    return left


def memory_kills() -> int | None:
    """Processes that the system has killed for lack of memory so far; None where nobody counts.

    Those of this process's own group: the groups around it count also what was killed in other jobs. Where no group
    counts, as in the outermost one, those of the whole machine.
    """
    counts = (_table(folder / names.events).get("oom_kill") for folder, names in _groups())
    own = next((count for count in counts if count is not None), None)
    return _table(_MACHINE).get("oom_kill") if own is None else own


def _limited() -> Iterator[tuple[Path, _Names, int]]:
    """The groups of this process that have a limit, and the limits."""
    for folder, names in _groups():
        limit = _number(folder / names.limit)
        if limit is not None and limit < _NO_LIMIT:
            yield folder, names, limit


def _groups() -> Iterator[tuple[Path, _Names]]:
    """The folders of this process's groups for memory, and the names of their files."""
    for folder, second in _folders("memory"):
        yield folder, _SECOND_KIND if second else _FIRST_KIND


def _folders(wanted: str) -> Iterator[tuple[Path, bool]]:
    """The folders of this process's groups for a controller, the innermost first; whether of the second kind."""
    try:
        lines = _PROCESS.read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if wanted in controllers.split(","):
            yield from ((folder, False) for folder in _up(_GROUPS / wanted, path))
        elif number == "0":
            yield from ((folder, True) for folder in _up(_GROUPS, path))


def _up(root: Path, path: str) -> Iterator[Path]:
    """The folder of a group and those around it; where a container does not show it, those that it does show."""
    parts = [part for part in PurePosixPath(path).parts if part not in {"/", ".."}]
    for count in range(len(parts), -1, -1):
        yield root.joinpath(*parts[:count])


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # ``max`` where nothing is limited
        return None


def _table(file: Path) -> dict[str, int]:
    """The lines ``name number`` of a file."""
    try:
        pairs = (line.split() for line in file.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    except (OSError, ValueError):
        return {}
