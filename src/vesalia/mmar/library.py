"""A class of PyTorch or MONAI, or a plain one of the archive, in a slot: what of its ``args`` goes where."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.arguments import check_arguments
from vesalia.mmar.findings import Findings
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.catalog import FILLED, INJECTED
from vesalia.registry.kinds import shown
from vesalia.registry.library import (
    CHANNEL_NAMES,
    CLASS_COUNT_NAMES,
    LIBRARIES,
    find_library,
    is_library,
    suggest_library,
)
from vesalia.registry.registry import base_of, find
from vesalia.registry.signature import Signature, lineage, read_signature
from vesalia.registry.target import Target

__all__ = ["ADAPTERS", "Place", "is_plain", "read_library", "read_plain"]

ADAPTERS: Mapping[str, str] = {"model": "LibraryModel", "loss": "LibraryLoss", "optimizer": "LibraryOptimizer"}
"""Slot, then the component that makes one of a library's class."""
_TRAINERS = {"optimizer": frozenset({"lr", "params"})}
"""What a library's constructor takes, by slot, and the trainer gives."""
_ADAPTERS_OWN = frozenset({"path", "arguments", "in_channels"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a component stands, and where its faults go.

    Attributes:
        slot: The slot.
        key: Key path of the component.
        archive: The archive.
        findings: Faults and warnings.
    """

    slot: str
    key: str
    archive: ArchiveFolder
    findings: Findings


def is_plain(target: Target, place: Place) -> bool:
    """Whether a network of the archive's own is plain PyTorch: its class derives from a library's, not from ours."""
    if place.slot != "model" or target.origin != "custom":
        return False
    ancestors = lineage(target, place.archive.custom)
    return base_of(place.slot).path not in ancestors and any(map(is_library, ancestors))


def read_library(args: object, *, path: str, handle: str, place: Place) -> ComponentPlan | None:
    """The component that makes one of a library's class; None, and a fault, where there is no such class.

    Args:
        args: What the config holds.
        path: The class.
        handle: What the config calls it; empty where it does not.
        place: Where it stands.
    """
    found = _library_class(path, place)
    adapter = find(place.slot, ADAPTERS[place.slot]) if found else None
    if found is None or adapter is None:
        return None
    own, inner = _read(args, found[1], place=place, hidden=_TRAINERS.get(place.slot, frozenset()))
    given = {"path": path, "arguments": inner, **own}
    defaults = {name: value for name, value in _options(place.slot).defaults.items() if name not in _ADAPTERS_OWN}
    name = adapter.qualname
    return ComponentPlan(
        place.slot, name, handle or found[0].qualname, adapter, given, place.key, place.findings.file, defaults, True
    )


def read_plain(args: object, signature: Signature, *, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of a plain network, and what holds where they are not given; see :class:`PlainModel`."""
    hidden = INJECTED.get(place.slot, frozenset())
    own, inner = _read(args, signature, place=place, hidden=hidden)
    filled = {name: 3 for name in signature.parameters if name in FILLED.get(place.slot, ())}
    options = _options(place.slot).defaults
    defaults = {name: value for name, value in options.items() if name not in (*_ADAPTERS_OWN, "num_classes")}
    return {**own, **inner}, {**defaults, **filled, **signature.defaults}


def _library_class(path: str, place: Place) -> tuple[Target, Signature] | None:
    target = find_library(place.slot, path)
    try:
        if target is not None:
            return target, read_signature(target)
    except LookupError:
        pass
    packages = LIBRARIES.get(place.slot, {})
    expected = f"a class of {' or '.join(packages)}" if packages else "a component that ships, or code in custom/"
    near = suggest_library(place.slot, path)
    write = f"{shown(near)} (did you mean this?)" if near else "the full path of such a class"
    place.findings.fault(f"{place.key}.path", found=shown(path), expected=expected, write=write)
    return None


def _options(slot: str) -> Signature:
    """The constructor of a slot's adapter."""
    target = find(slot, ADAPTERS[slot])
    return read_signature(target) if target else Signature()


def _read(
    args: object, signature: Signature, *, place: Place, hidden: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The adapter's arguments and the class's, checked against both constructors."""
    options = {name: each for name, each in _options(place.slot).parameters.items() if name not in _ADAPTERS_OWN}
    known = {name: replace(each, required=False) for name, each in options.items()}
    for name, each in signature.parameters.items():
        is_given = place.slot == "model" and name in (*FILLED["model"], *CLASS_COUNT_NAMES, *CHANNEL_NAMES)
        known[name] = replace(each, required=each.required and not is_given)
    typed = check_arguments(
        args,
        Signature(known, {}, signature.is_open),
        slot=place.slot,
        key=place.key,
        archive=place.archive,
        findings=place.findings,
        injected=hidden,
    )
    own = {name: value for name, value in typed.items() if name in options and name not in signature.parameters}
    inner = {name: value for name, value in typed.items() if name not in own}
    if place.slot == "model":
        own.update(_outputs(own, inner, signature, place))
    return own, inner


def _outputs(own: Mapping[str, Any], inner: Mapping[str, Any], signature: Signature, place: Place) -> dict[str, Any]:
    """The number of output channels by whatever name, and a sigmoid where there is only one."""
    count = _first(CLASS_COUNT_NAMES, (inner, own, signature.defaults))
    if not isinstance(count, int) or isinstance(count, bool):
        names = [name for name in CLASS_COUNT_NAMES if name in signature.parameters] or ["num_classes"]
        key = f"{place.key}.args.{names[0]}"
        if not place.findings.is_unresolved(key) and not any(fault.key == key for fault in place.findings.faults):
            expected = "the number of channels that the network gives"
            place.findings.fault(key, found="nothing", expected=expected, write=f'"{names[0]}": 2')
        return {}
    activates = "final_activation" in signature.parameters or "final_activation" in own
    return {"num_classes": count, **({"final_activation": "sigmoid"} if count == 1 and not activates else {})}


def _first(names: Iterable[str], sources: Iterable[Mapping[str, Any]]) -> object:
    names = tuple(names)
    return next((source[name] for source in sources for name in names if name in source), None)
