"""Where a component's class is to be found, before anything of it is imported; and what an adapter gets of one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Brought", "Origin", "Target"]

Origin = Literal["builtin", "plugin", "custom"]


@dataclass(frozen=True, slots=True)
class Target:
    """A class by its address.

    Attributes:
        module: Dotted name of the module.
        qualname: Name of the class inside the module.
        origin: Shipped with Vesalia, added by an installed plug-in, or brought along in an archive's ``custom/``.
        file: The source file of the module.
    """

    module: str
    qualname: str
    origin: Origin
    file: Path

    @property
    def path(self) -> str:
        """The dotted path of the class, as a config writes it."""
        return f"{self.module}.{self.qualname}"


@dataclass(frozen=True, slots=True)
class Brought:
    """A class that is no component by itself, for the adapter that makes one of it.

    Attributes:
        made_of: The class.
        called: What the config calls it.
        file: The source file of its module.
        throws_dice: Whether its code may use the random numbers that all threads share.
    """

    made_of: type
    called: str
    file: Path
    throws_dice: bool = True
