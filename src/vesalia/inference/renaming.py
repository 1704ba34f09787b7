"""The same weights under other names: what wrappers put before the names of a network's tensors."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product

import torch

__all__ = ["align_names"]

_SHARED = 0.5
"""Share of the names that must begin with a prefix before it is tried to take it away."""


def align_names(wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """What each tensor of ``found`` is called in ``wanted``, as far as a prefix for all of them can tell.

    Wrappers name a network ``module.``, ``model.`` or ``network.`` and put that before the names of its tensors. All
    prefixes that most of the found names share are tried, each replaced by all that most of the wanted names share; the
    pair by which most tensors fit in name and shape is taken, and none where that is as good.

    Returns:
        Found name to wanted name, for every tensor of ``found``.
    """
    pairs = product(_prefixes(found), _prefixes(wanted))
    named = [{name: _renamed(name, old, new) for name in found} for old, new in pairs]
    return max(named, key=lambda names: _fitting(names, wanted, found))  # the first of equals: nothing renamed


def _prefixes(names: Iterable[str]) -> list[str]:
    """The empty one, then longer and longer ones that most names begin with."""
    names = list(names)
    found = [""]
    while True:
        depth = len(found[-1])
        longer = Counter(
            name[: name.index(".", depth) + 1] for name in names if name.startswith(found[-1]) and "." in name[depth:]
        )
        best, count = max(longer.items(), key=lambda entry: entry[1], default=("", 0))
        if count <= _SHARED * len(names):
            return found
        found.append(best)


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name


def _fitting(
    names: Mapping[str, str], wanted: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> tuple[int, int]:
    """How many tensors fit in name and shape; then in name alone, which a report can explain best."""
    known = [(old, new) for old, new in names.items() if new in wanted]
    return sum(found[old].shape == wanted[new].shape for old, new in known), len(known)
