"""The state a run goes on from: weights, optimizer, counters, in one file that is whole or not there.

The file is safetensors; counters and the optimizer's numbers are JSON in its header. Nothing is pickled.
Random states need no saving: every generator is derived from the seed, the epoch and the item.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn, optim

from vesalia.errors import CheckpointError
from vesalia.runtime.files import write_bytes

__all__ = ["STATE_FILE", "Counters", "Stateful", "load_state", "read_counters", "read_part", "save_state"]

STATE_FILE = "resume.safetensors"
_HEADER = "vesalia"
_WHY_SHOWN = 300
"""Characters of torch's list of tensors that do not fit."""


@dataclass(slots=True)
class Counters:
    """Where a run stands.

    Attributes:
        epoch: Epoch in progress, counted from 1.
        step_in_epoch: Steps of it that are done.
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
    """

    epoch: int = 1
    step_in_epoch: int = 0
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


class Stateful(Protocol):
    """A part of a run with tensors of its own that a resumed run needs, such as an average of weights."""

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The tensors by name."""

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from them; an empty mapping leaves everything as it is."""


def save_state(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: optim.Optimizer,
    counters: Counters,
    parts: Mapping[str, Stateful] | None = None,
) -> None:
    """Write the state into the run folder.

    Args:
        folder: The run folder.
        model: The network.
        optimizer: Its optimizer.
        counters: Where the run stands.
        parts: What else has a state, by name; :func:`read_part` gives it back.
    """
    optimizer_state = optimizer.state_dict()
    # Copies: a network may hold one tensor under two names (MONAI's DynUNet), and safetensors would refuse it.
    weights = {name: tensor.detach().to("cpu", copy=True) for name, tensor in model.state_dict().items()}
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in weights.items()}
    for part, stateful in (parts or {}).items():
        for name, tensor in stateful.state_dict().items():
            tensors[f"part.{part}.{name}"] = tensor.detach().to("cpu", copy=True).contiguous()
    numbers: dict[str, dict[str, Any]] = {}
    for index, values in optimizer_state["state"].items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor):
                tensors[f"optimizer.{index}.{name}"] = value.detach().cpu().contiguous()
            else:
                numbers.setdefault(str(index), {})[name] = value
    header = {"counters": asdict(counters), "groups": optimizer_state["param_groups"], "numbers": numbers}
    write_bytes(folder / STATE_FILE, save(tensors, metadata={_HEADER: json.dumps(header)}))


def read_counters(folder: Path) -> Counters | None:
    """The counters of the state in ``folder``, or None where there is nothing to resume.

    Raises:
        CheckpointError: The file is there and cannot be read.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    return _header(path)[0]


def read_part(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a part of the state in ``folder``; empty where the run had none."""
    prefix = f"part.{name}."
    with safe_open(folder / STATE_FILE, framework="pt") as stored:
        keys = [key for key in stored.keys() if key.startswith(prefix)]  # noqa: SIM118 - not a mapping
        return {key.removeprefix(prefix): stored.get_tensor(key) for key in keys}


def _header(path: Path) -> tuple[Counters, dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as stored:
            found: dict[str, Any] = json.loads((stored.metadata() or {})[_HEADER])
            return Counters(**found["counters"]), found
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        message = (
            f"{path}: found a state that cannot be read ({error}), expected one written by training; "
            "delete it to start afresh"
        )
        raise CheckpointError(message) from error


def load_state(folder: Path, *, model: nn.Module, optimizer: optim.Optimizer) -> Counters:
    """Put the state of ``folder`` into ``model`` and ``optimizer``.

    Raises:
        CheckpointError: The state is torn or belongs to another network.
    """
    path = folder / STATE_FILE
    counters, header = _header(path)
    states: dict[int, dict[str, Any]] = {int(index): dict(values) for index, values in header["numbers"].items()}
    weights: dict[str, torch.Tensor] = {}
    with safe_open(path, framework="pt") as stored:
        for key in stored.keys():  # noqa: SIM118 - not a mapping
            part, _, rest = key.partition(".")
            if part == "model":
                weights[rest] = stored.get_tensor(key)
            elif part == "optimizer":
                index, _, name = rest.partition(".")
                states.setdefault(int(index), {})[name] = stored.get_tensor(key)
    try:
        model.load_state_dict(weights)
        optimizer.load_state_dict({"state": states, "param_groups": header["groups"]})
    except (RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())
        why = why if len(why) <= _WHY_SHOWN else f"{why[:_WHY_SHOWN]} ..."
        message = f"{path}: found the state of another network ({why}), expected this config's; train without --resume"
        raise CheckpointError(message) from error
    return counters
