"""The state a run goes on from: weights, optimizer, counters, in one file that is whole or not there.

The file is safetensors; counters, the course so far and the optimizer's numbers are JSON in its header. Nothing is
pickled. Random states need no saving: every generator is derived from the seed, the epoch and the item, or the step.
So do the order of an epoch and the window of a moving cache: the epoch, and how many of its items are done, is all.

The newest state is ``resume.safetensors``; those before it are ``resume-1.safetensors`` and so on. A state is written
beside them first and the names are moved then, so that a kill at any moment leaves a whole one.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import nn, optim

from vesalia.errors import CheckpointError
from vesalia.runtime.files import write_bytes

__all__ = [
    "STATE_FILE",
    "STATE_PATTERNS",
    "Counters",
    "Stateful",
    "load_state",
    "put_state",
    "read_counters",
    "save_state",
    "state_files",
]

STATE_FILE = "resume.safetensors"
STATE_PATTERNS = (STATE_FILE, "resume-*.safetensors")
_COMING = "resume-new.safetensors"
"""A state that is whole already, while the names of those before it are moved."""
_HEADER = "vesalia"
_WHY_SHOWN = 300
"""Characters of torch's list of tensors that do not fit."""


@dataclass(slots=True)
class Counters:
    """Where a run stands.

    Attributes:
        epoch: Epoch in progress, counted from 1.
        step_in_epoch: Steps of it that are done.
        items_in_epoch: Items of it that are done, by all ranks together; another number of ranks goes on from here.
        step: Steps since the run began.
        best: Best value of the key metric so far; v3 starts at a large negative number.
        best_epoch: Epoch of the best value; 0 for none.
        validations_without_gain: Validations since the best.
        earlier_stalls: Validations without gain in each stretch that a gain has ended.
        seconds: Wall-clock seconds of training before this process.
        seed: The run's seed.
        finished: Whether the run came to its configured end.
        schedule: The schedule's own state.
        validated_step: Step at which the network was last judged.
        start_sha256: Hash of a best model that was in the run folder before the run, as its start; else empty.
        measured: What the epoch in progress has measured so far.
        history: The course so far, an entry per epoch and per validation, as in ``history.jsonl``.
        skipped: Updates in a row, up to the last, that were left out because they were no numbers.
    """

    epoch: int = 1
    step_in_epoch: int = 0
    items_in_epoch: int = 0
    step: int = 0
    best: float = -1e6
    best_epoch: int = 0
    validations_without_gain: int = 0
    earlier_stalls: list[int] = field(default_factory=list)
    seconds: float = 0.0
    seed: int = 0
    finished: bool = False
    schedule: dict[str, Any] = field(default_factory=dict)
    validated_step: int = -1
    start_sha256: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    skipped: int = 0


class Stateful(Protocol):
    """A part of a run with a state of its own: an average of weights, or a gradient scaler."""

    def state_dict(self) -> Mapping[str, Any]:
        """Tensors and plain numbers by name."""

    def load_state_dict(self, state: dict[str, Any]) -> object:
        """Go on from them."""


def save_state(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: optim.Optimizer,
    counters: Counters,
    parts: Mapping[str, Stateful] | None = None,
    kept: int = 2,
) -> None:
    """Write the state into the run folder, and keep some of those before it.

    Args:
        folder: The run folder.
        model: The network.
        optimizer: Its optimizer.
        counters: Where the run stands.
        parts: What else has a state, by name.
        kept: States to keep, this one included.
    """
    optimizer_state = optimizer.state_dict()
    # Copies: a network may hold one tensor under two names (MONAI's DynUNet), and safetensors would refuse it.
    tensors = {f"model.{name}": _copy(tensor) for name, tensor in model.state_dict().items()}
    numbers: dict[str, dict[str, Any]] = {}
    for index, values in optimizer_state["state"].items():
        _sort_into(tensors, numbers.setdefault(str(index), {}), values, prefix=f"optimizer.{index}")
    others: dict[str, dict[str, Any]] = {}
    for name, part in (parts or {}).items():
        _sort_into(tensors, others.setdefault(name, {}), part.state_dict(), prefix=f"part.{name}")
    header = {
        "counters": asdict(counters),
        "groups": optimizer_state["param_groups"],
        "numbers": numbers,
        "parts": others,
    }
    write_bytes(folder / _COMING, save(tensors, metadata={_HEADER: json.dumps(header)}))
    _move_on(folder, kept)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


def _sort_into(
    tensors: dict[str, torch.Tensor], numbers: dict[str, Any], values: Mapping[str, Any], *, prefix: str
) -> None:
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            tensors[f"{prefix}.{name}"] = _copy(value)
        else:
            numbers[name] = value


def _move_on(folder: Path, kept: int) -> None:
    """The coming state becomes the newest, the newest the one before, and so on; the oldest goes."""
    names = [STATE_FILE, *(f"resume-{age}.safetensors" for age in range(1, kept))]
    for age in reversed(range(1, len(names))):
        if (folder / names[age - 1]).exists():
            (folder / names[age - 1]).replace(folder / names[age])
    (folder / _COMING).replace(folder / STATE_FILE)


def state_files(folder: Path) -> list[Path]:
    """The states in ``folder``, the newest first."""
    earlier = [path for path in folder.glob("resume-*.safetensors") if path.stem.removeprefix("resume-").isdecimal()]
    earlier.sort(key=lambda path: int(path.stem.removeprefix("resume-")))
    return [*(path for path in (folder / _COMING, folder / STATE_FILE) if path.exists()), *earlier]


def read_counters(folder: Path) -> Counters | None:
    """The counters of the newest state in ``folder`` that can be read, or None where there is nothing to resume.

    Raises:
        CheckpointError: There are states, and none can be read.
    """
    errors: list[CheckpointError] = []
    for path in state_files(folder):
        try:
            with safe_open(path, framework="pt") as stored:
                return _counters(_header(path, stored.metadata()))
        except CheckpointError as error:
            errors.append(error)
        except (SafetensorError, OSError, TypeError, ValueError) as error:
            errors.append(_unreadable(path, error))
    if errors:
        raise errors[0]
    return None


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((metadata or {})[_HEADER])
        _counters(found)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    return found


def _counters(header: Mapping[str, Any]) -> Counters:
    return Counters(**header["counters"])


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(
        f"{path}: found a state that cannot be read ({error}), expected one written by training; "
        "delete it to start afresh"
    )


def load_state(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: optim.Optimizer,
    parts: Mapping[str, Stateful] | None = None,
    skipped: Callable[[str], None] | None = None,
) -> tuple[Counters, bytes]:
    """Put the newest state of ``folder`` that is whole and fits into ``model``, ``optimizer`` and ``parts``.

    Args:
        folder: The run folder.
        model: The network.
        optimizer: Its optimizer.
        parts: What else has a state, by name; those of which the state knows nothing are left as they are.
        skipped: Is told of each newer state that is torn or another network's.

    Returns:
        Where that run stood, and the state as it is on disk, for :func:`put_state` on other ranks.

    Raises:
        CheckpointError: Every state is torn or belongs to another network.
    """
    errors: list[CheckpointError] = []
    for path in state_files(folder):
        try:
            content = path.read_bytes()
            counters = put_state(content, path, model=model, optimizer=optimizer, parts=parts)
        except (CheckpointError, OSError) as error:
            errors.append(error if isinstance(error, CheckpointError) else _unreadable(path, error))
            continue
        if skipped is not None:
            for skip in errors:
                skipped(f"{skip}; this run goes on from the one before, {path.name}")
        return counters, content
    raise errors[0] if errors else CheckpointError(f"{folder}: found no state, expected one; train without --resume")


def put_state(
    content: bytes,
    path: Path,
    *,
    model: nn.Module,
    optimizer: optim.Optimizer,
    parts: Mapping[str, Stateful] | None = None,
) -> Counters:
    """Put a state, as bytes, into ``model``, ``optimizer`` and ``parts``; ``path`` is what messages call it.

    Raises:
        CheckpointError: The state is torn or belongs to another network.
    """
    try:
        tensors, header = load(content), _header(path, _metadata(content))
    except (SafetensorError, TypeError, ValueError) as error:
        raise _unreadable(path, error) from error
    states: dict[str, dict[str, Any]] = {index: dict(values) for index, values in header["numbers"].items()}
    others: dict[str, dict[str, Any]] = {name: dict(values) for name, values in header.get("parts", {}).items()}
    weights: dict[str, torch.Tensor] = {}
    for key, tensor in tensors.items():
        part, _, rest = key.partition(".")
        if part == "model":
            weights[rest] = tensor
        else:
            owner, _, name = rest.partition(".")
            (states if part == "optimizer" else others).setdefault(owner, {})[name] = tensor
    try:
        model.load_state_dict(weights)
        by_index = {int(index): values for index, values in states.items()}
        optimizer.load_state_dict({"state": by_index, "param_groups": header["groups"]})
        _lay_out(optimizer)
        for name, stateful in (parts or {}).items():
            if others.get(name):
                stateful.load_state_dict(others[name])
    except (RuntimeError, ValueError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise _another_network(path, error) from error
    return _counters(header)


def _metadata(content: bytes) -> dict[str, str]:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    found: dict[str, str] = header.get("__metadata__", {})
    return found


def _lay_out(optimizer: optim.Optimizer) -> None:
    """Lay the optimizer's tensors out in memory as their parameters lie: other loops may round differently."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            for name, value in state.items():
                if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                    state[name] = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _another_network(path: Path, error: Exception) -> CheckpointError:
    why = " ".join(str(error).split())
    why = why if len(why) <= _WHY_SHOWN else f"{why[:_WHY_SHOWN]} ..."
    return CheckpointError(
        f"{path}: found the state of another network ({why}), expected this config's; train without --resume"
    )
