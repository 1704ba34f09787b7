"""Which device a network runs on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import ConfigError

__all__ = ["choose_device", "has_gpu"]

_KNOWN = ("auto", "cpu", "cuda", "mps")


def has_gpu() -> bool:
    """Whether there is an NVIDIA GPU that torch can use."""
    return bool(torch.cuda.is_available())


def choose_device(name: str) -> torch.device:
    """The device that ``name`` stands for: ``auto`` takes a GPU where there is one.

    Args:
        name: ``auto``, ``cpu``, ``mps``, ``cuda`` or ``cuda:1``.

    Raises:
        ConfigError: There is no such device here.
    """
    if name == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    kind, _, index = name.partition(":")
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind not in there or not (index.isdecimal() or not index):
        write = "--engine onnx with it" if name in {"openvino", "tensorrt"} else "auto"
        raise ConfigError(f"--device: found {name!r}, expected one of {', '.join(_KNOWN)}; write {write}")
    if int(index or 0) >= there[kind]:
        raise ConfigError(f"--device: found {name!r}, expected a device that this machine has; write auto or cpu")
    return torch.device(kind, int(index or 0)) if kind == "cuda" else torch.device(kind)
