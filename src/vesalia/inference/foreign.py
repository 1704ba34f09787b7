"""Checkpoints that other software pickled with ``torch.save``: tensors and plain values are read, code never is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vesalia.errors import CheckpointError

__all__ = ["read_pickled", "weights_in"]

_CONTAINERS = (
    "network_weights",
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "weights",
)
"""What programs call the weights among the other things of a checkpoint."""
_DTYPES = ("BoolDType", "Int32DType", "Int64DType", "Float32DType", "Float64DType")


def read_pickled(path: Path) -> Any:
    """The content of a file that ``torch.save`` wrote, as far as it is tensors, numbers, texts and their collections.

    NumPy's scalars count as numbers (nnU-Net's checkpoints hold some). Any other class makes the file be refused,
    before anything of it is run.

    Raises:
        CheckpointError: The file cannot be read, is a TorchScript program, or holds something else.
    """
    if _is_program(path):
        message = (
            f"{path}: found a TorchScript program, expected a state dict; a program is code, and is not run: write the "
            "weights where it came from, torch.save(torch.jit.load(file).state_dict(), 'weights.pt')"
        )
        raise CheckpointError(message)
    try:
        with torch.serialization.safe_globals(_allowed()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protocols other than its own, which it reads or refuses
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_refusal(path, str(error))) from None
    except OSError as error:
        message = f"{path}: found that it cannot be read ({error.strerror}), expected a file that torch.save wrote"
        raise CheckpointError(message) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"{path}: found a file that cannot be read ({why}), expected one that torch.save wrote; copy it again"
        raise CheckpointError(message) from error


def weights_in(content: object, path: Path) -> dict[str, torch.Tensor]:
    """The state dict in what a checkpoint holds.

    Raises:
        CheckpointError: There is none.
    """
    candidates = [content]
    if isinstance(content, Mapping):
        candidates += [content[name] for name in _CONTAINERS if name in content]
    for candidate in candidates:
        if isinstance(candidate, Mapping) and candidate and all(map(_is_weight, candidate.items())):
            return dict(candidate)
    held = ", ".join(map(str, list(content)[:8])) if isinstance(content, Mapping) else type(content).__name__
    message = f"{path}: found {held or 'nothing'}, expected a state dict (tensors by name), or one under "
    raise CheckpointError(message + ", ".join(_CONTAINERS))


def _is_weight(entry: tuple[object, object]) -> bool:
    return isinstance(entry[0], str) and isinstance(entry[1], torch.Tensor)


def _is_program(path: Path) -> bool:
    """Whether a file is what ``torch.jit.save`` writes: an archive with constants and code."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
    except (OSError, zipfile.BadZipFile):
        return False
    return "constants.pkl" in names or any(name.startswith("code/") for name in names)


def _allowed() -> list[Any]:
    """NumPy's scalars, under the names that NumPy 1 and 2 pickle them by."""
    scalar: Callable[..., Any] = np.float64(0).__reduce__()[0]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    dtypes = [getattr(np.dtypes, name) for name in _DTYPES]
    return [*((scalar, name) for name in names), np.dtype, *dtypes]


def _refusal(path: Path, said: str) -> str:
    named = re.search(r"GLOBAL (\S+)", said)
    held = f"{named[1]}, which is code" if named else "something that is no tensor"
    return (
        f"{path}: found {held}, expected tensors and plain values; such a file could run anything, so it is not read: "
        "write the weights alone where it came from, torch.save(model.state_dict(), 'weights.pt')"
    )
