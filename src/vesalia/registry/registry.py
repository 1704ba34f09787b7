"""From a name in a config to a class: what ships, then what plug-ins add, then what the archive brings along."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from pathlib import Path

from vesalia.registry.byoc import import_custom
from vesalia.registry.catalog import ADAPTERS, BASES, CATALOG
from vesalia.registry.entrypoints import find_plugin, plugin_names
from vesalia.registry.source import locate_module
from vesalia.registry.target import Target
from vesalia.runtime.nearness import nearest

__all__ = ["Target", "adapter_of", "base_of", "find", "find_path", "load", "slots_of", "suggest"]


def find(slot: str, name: str) -> Target | None:
    """The class that ``name`` stands for in ``slot``; nothing is imported.

    Args:
        slot: A key of :data:`vesalia.registry.catalog.CATALOG`.
        name: Bare class name, without an alias.
    """
    address = CATALOG[slot].get(name)
    return _builtin(address) if address else find_plugin(slot, name)


def find_path(slot: str, dotted: str) -> Target | None:
    """The shipped class that a full dotted path names, if that class is in the catalogue's slot."""
    for address in CATALOG[slot].values():
        if dotted == address.replace(":", "."):
            return _builtin(address)
    return None


def _builtin(address: str) -> Target:
    module, _, qualname = address.partition(":")
    return Target(module, qualname, "builtin", locate_module(module) or Path(module))


def base_of(slot: str) -> Target:
    """The class that every component of ``slot`` derives from; nothing is imported."""
    return _builtin(BASES[slot])


def adapter_of(slot: str, found: type) -> Target | None:
    """What makes a component of ``found``, a class written for v3 or plain PyTorch; None for what is one already."""
    if slot not in ADAPTERS or issubclass(found, load(base_of(slot))):
        return None
    base, adapter = ADAPTERS[slot]
    return _builtin(adapter) if issubclass(found, load(_builtin(base))) else None


def suggest(slot: str, name: str) -> str | None:
    """The known name of the slot that is nearest to a misspelt one, case aside; None where nothing is near."""
    known = (*CATALOG[slot], *plugin_names(slot))
    return nearest(name, known) or nearest(name.removesuffix("Loss"), known)  # elsewhere Dice is called DiceLoss


def slots_of(name: str) -> tuple[str, ...]:
    """The slots in which a shipped component of this name may stand; for 'this is a loss, not a model'."""
    return tuple(slot for slot, names in CATALOG.items() if name in names)


def load(target: Target, custom_folder: Path | None = None) -> type:
    """Import a class.

    Args:
        target: The class.
        custom_folder: The archive's ``custom`` folder, for classes of origin ``custom``.

    Raises:
        ImportError: The module is not there.
        TypeError: The module has no such class.
    """
    if target.origin == "custom" and custom_folder is not None:
        return import_custom(target, custom_folder)
    found = getattr(importlib.import_module(target.module), target.qualname, None)
    if not isinstance(found, type):
        message = f"{target.path} is not a class"
        raise TypeError(message)
    return found
