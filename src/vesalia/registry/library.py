"""Classes of PyTorch and MONAI that a config may name by their path, and no others.

The lists below are a safety boundary: a config or a card from a stranger can have no other code of these packages run.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from vesalia.errors import ConfigError
from vesalia.registry.source import locate_module, read_source
from vesalia.registry.target import Target
from vesalia.runtime.nearness import nearest

__all__ = [
    "CHANNEL_NAMES",
    "CLASS_COUNT_NAMES",
    "LIBRARIES",
    "construct",
    "find_library",
    "is_library",
    "load_library",
    "suggest_library",
]

LIBRARIES: Mapping[str, Mapping[str, str]] = {
    "model": {"monai.networks.nets": "monai.networks.nets"},
    "loss": {"monai.losses": "monai.losses", "torch.nn": "torch.nn.modules.loss"},
    "optimizer": {"torch.optim": "torch.optim", "monai.optimizers": "monai.optimizers"},
    "lr_policy": {
        "torch.optim.lr_scheduler": "torch.optim.lr_scheduler",
        "monai.optimizers.lr_scheduler": "monai.optimizers.lr_scheduler",
        "monai.optimizers": "monai.optimizers.lr_scheduler",
    },
}
"""Slot, then the package that a path may begin with, and the module that holds its classes of that slot."""
CLASS_COUNT_NAMES = ("num_classes", "out_channels", "n_classes", "out_chns")
"""What networks call the channels of their output."""
CHANNEL_NAMES = ("in_channels", "n_input_channels")
"""What networks call the channels of their input."""
_PACKAGES = frozenset({"monai", "torch"})
_FETCHING = frozenset(
    {"monai.losses.perceptual", "monai.networks.nets.cell_sam_wrapper", "monai.networks.nets.transchex"}
)
"""Modules whose classes load weights of others while they are made, from the network or from files."""


def is_library(dotted: str) -> bool:
    """Whether a path leads into a library that some slots take classes of."""
    return dotted.partition(".")[0] in _PACKAGES


def find_library(slot: str, dotted: str) -> Target | None:
    """Where the class of a path should be, if the slot takes classes of that package; nothing is imported."""
    if not all(part.isidentifier() and not part.startswith("_") for part in dotted.split(".")):
        return None
    for package, home in LIBRARIES.get(slot, {}).items():
        if not dotted.startswith(f"{package}."):
            continue
        module, _, qualname = f"{home}.{dotted.removeprefix(f'{package}.')}".rpartition(".")
        file = locate_module(module)
        if file is not None:
            return Target(module, qualname, "builtin", file)
    return None


def suggest_library(slot: str, dotted: str) -> str | None:
    """The path that a misspelt one most probably means; None where nothing is near."""
    name = dotted.rpartition(".")[2]
    for package, home in LIBRARIES.get(slot, {}).items():
        file = locate_module(home)
        source = read_source(file, home) if file else None
        names = (*source.classes, *source.imports) if source else ()
        near = nearest(name, [each for each in reversed(names) if each[:1].isupper()])  # the real name, then others
        if near is not None:
            return f"{package}.{near}"
    return None


def load_library(slot: str, dotted: str) -> type:
    """Import the class of a path.

    Raises:
        ConfigError: The slot takes no classes of that package, there is no such class, or it fetches weights.
    """
    target = find_library(slot, dotted)
    found = getattr(importlib.import_module(target.module), target.qualname, None) if target else None
    homes = tuple(LIBRARIES.get(slot, {}).values())
    if not isinstance(found, type) or not f"{found.__module__}.".startswith(tuple(f"{home}." for home in homes)):
        packages = " or ".join(LIBRARIES.get(slot, {}))
        raise ConfigError(f'path: found "{dotted}", expected a class of {packages}; write its full path')
    if found.__module__ in _FETCHING:
        message = f'path: found "{dotted}", which fetches or loads weights of others, expected a class that does not'
        raise ConfigError(f"{message}; write another")
    return found


def construct(found: type, arguments: Mapping[str, Any]) -> Any:
    """Make an object of a library's class.

    Raises:
        ValueError: The class refuses its arguments, in whichever way it does.
    """
    try:
        return found(**arguments)
    except Exception as error:
        message = f"{found.__name__}, {type(error).__name__}: {error}"
        raise ValueError(message) from error
