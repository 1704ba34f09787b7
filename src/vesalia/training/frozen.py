"""Parts of a network that keep the weights they begin with, named by patterns."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import partial

from torch import nn

from vesalia.errors import ConfigError, Fault
from vesalia.registry.kinds import shown
from vesalia.runtime.nearness import nearest

__all__ = ["freeze", "frozen_faults", "frozen_names"]

_SHOWN = 6


def freeze(model: nn.Module, patterns: Sequence[str]) -> str:
    """Keep the parameters whose names match a pattern as they are.

    A layer with statistics of its own (batch normalisation) all of whose parameters are frozen also keeps its
    statistics, and normalises by them, in training too.

    Args:
        model: The network; its parameters' ``requires_grad`` is changed.
        patterns: Shell patterns of names, such as ``network.down_layers.*``.

    Returns:
        What was frozen, in words; empty without patterns.

    Raises:
        ConfigError: A pattern matches nothing, or nothing is left to train.
    """
    names = [name for name, _ in model.named_parameters()]
    if faults := frozen_faults(names, patterns):
        raise ConfigError(faults=faults)
    if not patterns:
        return ""
    frozen = frozen_names(names, patterns)
    for name, parameter in model.named_parameters():
        if name in frozen:
            parameter.requires_grad = False
    if still := [name for name, layer in model.named_modules() if _is_still(layer)]:
        model.register_forward_pre_hook(partial(_judge_by_statistics, still))
    count = sum(parameter.numel() for parameter in model.parameters() if not parameter.requires_grad)
    whole = sum(parameter.numel() for parameter in model.parameters())
    return f"frozen_parameters: {len(frozen)} of {len(names)} tensors ({count:,} of {whole:,} weights) are kept"


def frozen_names(names: Iterable[str], patterns: Sequence[str]) -> frozenset[str]:
    """Those of ``names`` that match one of ``patterns``; the name of a part stands for all that is in it."""
    return frozenset(name for name in names if any(_matches(name, pattern) for pattern in patterns))


def frozen_faults(names: Sequence[str], patterns: Sequence[str], *, file: str = "") -> list[Fault]:
    """What is wrong with ``patterns`` for a network whose parameters are called ``names``."""
    faults = []
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in names):
            found = f"{shown(pattern)}, which is the name of nothing in the network"
            expected = f"a pattern of names such as {', '.join(names[:_SHOWN])}"
            faults.append(Fault(file, "frozen_parameters", found, expected, _proposal(names, pattern)))
    if not faults and names and len(frozen_names(names, patterns)) == len(names):
        found = f"{', '.join(map(shown, patterns))}, which freezes all {len(names)} tensors"
        faults.append(Fault(file, "frozen_parameters", found, "some to be left to train", "fewer patterns"))
    return faults


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern.rstrip('.')}.")


def _proposal(names: Sequence[str], pattern: str) -> str:
    """The part of the network, or the parameter, whose name is near."""
    parts = dict.fromkeys(
        ".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)
    )
    near = nearest(pattern.rstrip(".*"), parts)
    if near is None:
        return "one of these, with * for any text"
    proposal = near if near in names else f"{near}.*"
    return f"{shown(proposal)} (did you mean this?)"


def _is_still(layer: nn.Module) -> bool:
    """Whether a layer has statistics, and weights all of which are frozen."""
    own = list(layer.parameters(recurse=False))
    has_statistics = next(layer.buffers(recurse=False), None) is not None
    return has_statistics and bool(own) and not any(parameter.requires_grad for parameter in own)


def _judge_by_statistics(names: Sequence[str], model: nn.Module, _: object) -> None:
    """Before each forward pass, by name: layers may have been replaced by those for several processes."""
    for name in names:
        model.get_submodule(name).eval()
