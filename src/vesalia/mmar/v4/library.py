"""Which classes MONAI and PyTorch have, read from their source; neither is imported."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from vesalia.registry.library import LIBRARIES
from vesalia.registry.source import locate_module, read_source

__all__ = ["address", "known_names"]


@lru_cache(maxsize=32)
def known_names(package: str) -> tuple[str, ...]:
    """The public classes that a package offers, by their names in it (functions may be among them)."""
    home = LIBRARIES["loss"].get(package, package)  # of torch.nn only its losses are meant
    file = locate_module(home)
    if file is None:
        return ()
    source = read_source(file, home)
    top = package.partition(".")[0]
    imported = [name for name, (module, original) in source.imports.items() if module.startswith(top) and original]
    names = (*source.classes, *(imported if home == package else ()))
    return tuple(name for name in names if name[:1].isupper())


def address(name: str, packages: Sequence[str]) -> str | None:
    """The dotted path of a class, in the first of some packages that has it."""
    return next((f"{package}.{name}" for package in packages if name in known_names(package)), None)
