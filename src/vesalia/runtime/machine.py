"""What the machine is and has: for manifests, plans and messages. Needs no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

__all__ = ["available_memory_bytes", "describe", "free_disk_bytes", "usable_cores", "versions"]

_PACKAGES = ("vesalia", "torch", "lightning-fabric", "monai", "numpy", "nibabel", "safetensors")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CGROUP_USED = Path("/sys/fs/cgroup/memory.current")
_CGROUP_PARTS = Path("/sys/fs/cgroup/memory.stat")
_CGROUP_CPU = Path("/sys/fs/cgroup/cpu.max")


def usable_cores() -> int:
    """Cores this process may run on: its affinity and its container's share, not what the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = map(int, _CGROUP_CPU.read_text().split())
        return min(cores, max(1, math.ceil(quota / period)))
    except (OSError, ValueError):
        return cores


def available_memory_bytes() -> int:
    """Memory that can be had now without swapping; a container's limit counts.

    What a container holds of files in memory counts as free: the system gives it back when it is needed.
    """
    available = int(psutil.virtual_memory().available)
    try:
        limit, used = _CGROUP_LIMIT.read_text(), _CGROUP_USED.read_text()
        return max(0, min(available, int(limit) - max(0, int(used) - _cached_files_bytes())))
    except (OSError, ValueError):
        return available


def _cached_files_bytes() -> int:
    try:
        pairs = (line.split() for line in _CGROUP_PARTS.read_text().splitlines())
        return sum(int(size) for name, size in pairs if name in {"inactive_file", "active_file"})
    except (OSError, ValueError):
        return 0


def free_disk_bytes(path: Path) -> int:
    """Free bytes on the disk that holds ``path``, or would hold it."""
    existing = next((folder for folder in (path, *path.absolute().parents) if folder.exists()), Path("/"))
    return shutil.disk_usage(existing).free


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """The machine as plain data, for a run's manifest."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
