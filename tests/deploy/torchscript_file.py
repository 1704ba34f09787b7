"""Runs an exported program as other software would: nothing of Vesalia takes part."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from pathlib import Path

import torch

__all__ = ["outputs"]


def outputs(path: Path, images: torch.Tensor) -> torch.Tensor:
    """What the program in ``path`` makes of ``images``."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)
        program = torch.jit.load(path, map_location="cpu")
        found = program(images)
    assert isinstance(found, torch.Tensor)
    return found
