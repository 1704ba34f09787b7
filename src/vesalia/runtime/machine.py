"""What the machine is and has: for manifests, plans and messages. Needs no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import os
import platform
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from vesalia.runtime import cgroup

__all__ = [
    "available_memory_bytes",
    "describe",
    "free_disk_bytes",
    "in_words",
    "shortage_in_words",
    "total_memory_bytes",
    "usable_cores",
    "versions",
]

_PACKAGES = (
    "vesalia",
    "torch",
    "lightning-fabric",
    "monai",
    "numpy",
    "nibabel",
    "safetensors",
    "numba",
    "isal",
    "onnxruntime",
    "openvino",
)
_SIZE = r"([\d.]+) (bytes|[KMGTPE]iB)"
_ASKED = re.compile(rf"(?:ried|Unable) to allocate {_SIZE}")
_FREE = re.compile(rf"of which {_SIZE} is free")


def usable_cores() -> int:
    """Cores this process may run on: its affinity and its container's share, not what the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cgroup.cpu_limit()
    return cores if share is None else min(cores, max(1, math.ceil(share)))


def total_memory_bytes() -> int:
    """Memory that this process may use at most: the machine's, or its container's share."""
    total, limit = int(psutil.virtual_memory().total), cgroup.memory_limit_bytes()
    return total if limit is None else min(total, limit)


def available_memory_bytes() -> int:
    """Memory that can be had now without swapping; the limits of containers and jobs count."""
    available, left = int(psutil.virtual_memory().available), cgroup.memory_left_bytes()
    return available if left is None else min(available, left)


def in_words(count: float) -> str:
    """A number of bytes for people: ``3.2 GB`` (powers of 1000)."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def shortage_in_words(error: BaseException, *, needed: int | None = None) -> str:
    """What was needed and what there was, where memory ran out: ``needed 21.5 GB, had 1.2 GB``.

    Args:
        error: What torch, NumPy or Python raised; where it has figures, they count.
        needed: Bytes that were needed, for errors that do not say it.
    """
    asked, free = _ASKED.search(str(error)), _FREE.search(str(error))
    needed = _bytes(asked) if asked else needed
    had = f"had {in_words(_bytes(free) if free else available_memory_bytes())}"
    return f"needed {in_words(needed)}, {had}" if needed else had


def _bytes(said: re.Match[str]) -> int:
    return int(float(said[1]) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB").index(said[2]))


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
