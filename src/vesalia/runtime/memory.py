"""Telling that memory ran out: torch, numpy and Python each say it in their own way."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ctypes

import torch

__all__ = ["give_back_memory", "is_out_of_memory"]

_SAID_ON_PROCESSORS = ("DefaultCPUAllocator: can't allocate memory", "DefaultCPUAllocator: not enough memory")
"""Torch has an exception of its own for accelerators only; on processors it raises a plain ``RuntimeError``."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that the memory of the device or of the machine was not enough."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID_ON_PROCESSORS)


def give_back_memory() -> None:
    """Hand memory that is free within this process back to the machine, where the C library can (glibc)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # another C library; it gives memory back as it sees fit
        return
