"""A plan's components made into objects; the one place where component classes are imported."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from vesalia.errors import ConfigError, Fault, UserError
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.ancestry import may_throw_dice
from vesalia.registry.catalog import INJECTED
from vesalia.registry.registry import adapter_of, base_of, load
from vesalia.registry.target import Brought
from vesalia.runtime.error_place import place_of

__all__ = ["Builder", "build", "rehearse"]

_HOUSE_ORDER = re.compile(
    r"(?P<name>\w+): found (?P<found>.*?)(, expected (?P<expected>.*?))?(; write (?P<write>.*))?", re.DOTALL
)
"""``name: found ..., expected ...; write ...``: how a constructor words what is wrong with an argument."""


def build(component: ComponentPlan, *, archive: ArchiveFolder | None = None, **injected: Any) -> Any:
    """Make a component.

    Args:
        component: What to make.
        archive: The archive, for its own code; None where the component is not the archive's.
        **injected: Arguments that the framework gives (such as ``in_channels`` for a model).

    Raises:
        ConfigError: The constructor refused its arguments, or the class cannot be imported or is of another kind; with
            the key path.
        UserError: Another error of ours that the constructor raised, as it is.
    """
    arguments = {**component.defaults, **component.args, **injected}
    try:
        return _class_of(component, archive)(**arguments)
    except (ConfigError, TypeError, ValueError) as error:
        faults = error.faults if isinstance(error, ConfigError) else ()
        raise ConfigError(faults=[_placed(fault, component) for fault in faults or [_worded(str(error))]]) from error
    except UserError:
        raise
    except Exception as error:
        if component.target.origin == "builtin":
            raise
        place = place_of(error, component.target.file.parent)
        found = f"{component.target.path}, which failed with {type(error).__name__}: {error}{place}"
        raise ConfigError(faults=[_placed(Fault("", "", found, "a class that can be made"), component)]) from error


def _class_of(component: ComponentPlan, archive: ArchiveFolder | None) -> Callable[..., Any]:
    """What makes the component: a class that derives from the base of its slot, or what adapts one written for v3."""
    found = load(component.target, archive.custom if archive else None)
    if component.target.origin == "builtin":
        return found
    adapter = adapter_of(component.slot, found)
    if adapter is not None:
        return partial(load(adapter), _brought(component, found, archive))
    base = base_of(component.slot)
    if not issubclass(found, load(base)):
        name, said = component.target.qualname, f"the class {component.target.path}, which is no {base.qualname}"
        write = f"from {base.module} import {base.qualname}, and class {name}({base.qualname})"
        raise ConfigError(faults=[Fault("", "", said, f"a class derived from {base.path}", write)])
    return found


def _brought(component: ComponentPlan, found: type, archive: ArchiveFolder | None) -> Brought:
    target = component.target
    throws_dice = archive is None or target.origin != "custom" or may_throw_dice(target, archive.custom)
    return Brought(found, component.handle, target.file, throws_dice=throws_dice)


class Builder:
    """Makes the components of one config; what is one component there (by ``ref``) becomes one object.

    Args:
        archive: The archive, for its own code.
    """

    def __init__(self, archive: ArchiveFolder | None = None) -> None:
        self._archive = archive
        self._made: dict[str, Any] = {}

    def build(self, component: ComponentPlan, **injected: Any) -> Any:
        """Make a component, or give back the object that was made of it before; see :func:`build`."""
        if component.where not in self._made:
            self._made[component.where] = build(component, archive=self._archive, **injected)
        return self._made[component.where]

    def build_all(self, components: Iterable[ComponentPlan], **injected: Any) -> list[Any]:
        """Make several components, in order."""
        return [self.build(component, **injected) for component in components]


def rehearse(components: Iterable[ComponentPlan]) -> None:
    """Make components and let them go: constructors know what no argument shows alone.

    Code of archives and plug-ins is left out: it runs when it is needed, not before.

    Raises:
        ConfigError: With the faults of all of them.
    """
    faults: list[Fault] = []
    for component in components:
        injected: dict[str, Any] = dict.fromkeys(INJECTED.get(component.slot, ()), 1)
        try:
            if component.target.origin == "builtin":
                build(component, **injected)
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults=dict.fromkeys(faults))


def _worded(text: str) -> Fault:
    """The fault in a message: its parts where it is worded in the house's order, the whole of it where not."""
    parts = _HOUSE_ORDER.fullmatch(text)
    if parts is None:
        return Fault("", "", f"arguments that its constructor refuses ({text})", "arguments that fit together")
    return Fault("", f"args.{parts['name']}", parts["found"], parts["expected"] or "", parts["write"] or "")


def _placed(fault: Fault, component: ComponentPlan) -> Fault:
    inner = "path" if component.by_path and fault.key == "args.path" else fault.key
    key = f"{component.where}.{inner}" if inner else component.where
    return Fault(component.file, key, fault.found, fault.expected, fault.write)
