"""One component object of a config: ``name`` or ``path``, ``args``, ``disabled`` or ``ref``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vesalia.errors import Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.arguments import check_arguments
from vesalia.mmar.findings import Findings
from vesalia.mmar.library import ADAPTERS as LIBRARY_ADAPTERS
from vesalia.mmar.library import Place, is_plain, read_library, read_plain
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.references import Handles, Reference, split_name
from vesalia.mmar.v3_arguments import current_name
from vesalia.registry.ancestry import Import, foreign_imports, freezes_dice, missing_names, v3_names
from vesalia.registry.byoc import custom_code
from vesalia.registry.catalog import FILLED, INJECTED
from vesalia.registry.kinds import Mismatch, coerce, shown
from vesalia.registry.library import is_library
from vesalia.registry.registry import Target, find, slots_of, suggest
from vesalia.registry.signature import Signature, read_signature

__all__ = ["ComponentReader", "a_component"]

_ATTRIBUTES = ("name", "path", "args", "disabled", "ref")
_PACKAGES = ("vesalia.", "ai4med.")
"""Packages whose classes are found by their name alone, whatever the path to them was in v3 or is here."""
_WORDS = {"lr_policy": "learning-rate policy", "aux_op": "auxiliary operation"}
_PORTS: Mapping[str, str] = {
    "model": "a class on vesalia.components.models.base.Model with the method logits(image)",
    "loss": "a class on vesalia.components.losses.base.Loss, called with (probabilities, target)",
    "optimizer": "a class on vesalia.components.optimizers.base.OptimizerFactory",
    "lr_policy": "a class on vesalia.components.lr_policies.base.LearningRatePolicy",
    "aux_op": "a class on vesalia.components.aux_ops.base.AuxOp",
    "metric": "a class on vesalia.components.metrics.base.Metric with the method score(subject, fields)",
    "inferer": "a class on vesalia.components.inferers.base.Inferer",
    "writer": "a class on vesalia.components.writers.base.Writer",
}
_PAGES: Mapping[str, str] = {
    "model": "add-a-model",
    "loss": "add-a-loss",
    "transform": "add-a-transform",
    "batch_transform": "add-a-transform",
}
_TRANSFORM_PORT = "a class on vesalia.transforms.base.Deterministic with the method transform(sample)"


@dataclass(slots=True)
class ComponentReader:
    """Reads the components of one config.

    Attributes:
        archive: The archive.
        findings: Where faults go.
        allow_custom_code: Whether the user allowed the archive's own code.
        handles: The transforms read so far, for ``ref``.
    """

    archive: ArchiveFolder
    findings: Findings
    allow_custom_code: bool = False
    handles: Handles = field(default_factory=Handles)

    def is_disabled(self, node: object, key: str) -> bool:
        """Whether an object is switched off; anything but true or false is reported."""
        if not isinstance(node, Mapping) or "disabled" not in node or self.findings.is_unresolved(f"{key}.disabled"):
            return False
        value = coerce(node["disabled"], "bool")
        if isinstance(value, Mismatch):
            self.findings.fault(
                f"{key}.disabled", found=shown(node["disabled"]), expected=value.expected, write=value.write
            )
        return value is True

    def read(self, node: object, *, slot: str, key: str) -> ComponentPlan | Reference | None:
        """A component, a reference to one, or None where it is disabled or its class cannot be told."""
        if not isinstance(node, Mapping):
            proposal = f'{{"name": {shown(node)}}}' if isinstance(node, str) else '{"name": "...", "args": {}}'
            self._unreadable(key, found=shown(node), expected=f"{a_component(slot)} as an object", write=proposal)
            return None
        if self.is_disabled(node, key):
            self._drop(node, key)
            return None
        for name in node:
            if name not in _ATTRIBUTES:
                self.findings.unknown_key(key, name, known=_ATTRIBUTES, present=node)
        if "ref" in node:
            return self._reference(node, slot, key)
        return self._component(node, slot, key)

    def _drop(self, node: Mapping[str, Any], key: str) -> None:
        """Leave a component out, and remember what it was called: references to it are left out as well."""
        self.findings.dropped.append(key)
        name = node.get("name", node.get("path"))
        if isinstance(name, str):
            handle = split_name(name)[1]
            self.handles.disabled |= {handle, handle.rpartition(".")[2]}

    def _unreadable(self, key: str, *, found: str, expected: str, write: str) -> None:
        self.findings.unreadable.append(key)
        self.findings.fault(key, found=found, expected=expected, write=write)

    def _reference(self, node: Mapping[str, Any], slot: str, key: str) -> Reference | None:
        handle = node["ref"]
        if slot not in {"transform", "batch_transform"}:
            expected = f"{a_component(slot)} in full (ref is read in lists of transforms only)"
            self._unreadable(f"{key}.ref", found=shown(handle), expected=expected, write='{"name": "...", "args": {}}')
            return None
        if not isinstance(handle, str):
            self._unreadable(f"{key}.ref", found=shown(handle), expected="a name or alias", write='"ScaleImg"')
            return None
        if node.get("args"):
            expected = "no args beside ref (a reference uses the same arguments)"
            self.findings.fault(
                f"{key}.args", found=shown(node["args"]), expected=expected, write="the transform in full"
            )
        return Reference(handle.strip(), key)

    def _component(self, node: Mapping[str, Any], slot: str, key: str) -> ComponentPlan | None:
        name, path = node.get("name"), node.get("path")
        if name is None and path is None and (f"{key}.name" in self.findings.meant):
            self.findings.unreadable.append(key)
            return None
        given = [value for value in (name, path) if value is not None]
        wrong = [value for value in given if not (isinstance(value, str) and value.strip())]
        if wrong or not given:
            found, expected = shown(wrong[0]) if wrong else "nothing", f"the name of {a_component(slot)} as text"
            self._unreadable(f"{key}.name", found=found, expected=expected, write='"name": "..."')
            return None
        class_name, handle = split_name(name or "")
        path = (path or "").strip()
        place = Place(slot, key, self.archive, self.findings)
        if is_library(path) and slot in LIBRARY_ADAPTERS:
            plan = read_library(_written(node), path=path, handle=handle, place=place)
            self.findings.unreadable.extend([] if plan else [key])
            return plan
        target = self._target(class_name, path, slot, key)
        signature = self._signature(target, slot, key) if target else None
        if target is None or signature is None:
            self.findings.unreadable.append(key)
            return None
        args, defaults = self._arguments(_written(node), target, signature, place)
        plan = ComponentPlan(
            slot,
            target.qualname,
            handle or target.qualname,
            target,
            args,
            key,
            self.findings.file,
            defaults,
        )
        if slot == "transform":
            self.handles.add(plan)
        return plan

    def _arguments(
        self, args: object, target: Target, signature: Signature, place: Place
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The typed arguments, and the constructor's defaults."""
        if is_plain(target, place):
            return read_plain(args, signature, place=place)
        typed = check_arguments(
            args,
            signature,
            slot=place.slot,
            key=place.key,
            archive=self.archive,
            findings=self.findings,
            component=target.qualname if target.origin == "builtin" else "",
        )
        hidden = INJECTED.get(place.slot, ())
        filled = {name: 3 for name in signature.parameters if name in FILLED.get(place.slot, ())}
        return typed, {name: value for name, value in {**filled, **signature.defaults}.items() if name not in hidden}

    def _target(self, name: str, path: str, slot: str, key: str) -> Target | None:
        """The class: ``path`` decides where it is given, and may hold a bare class name or lead to one that ships."""
        if "." not in path or path.startswith(_PACKAGES):
            return self._named(path.rpartition(".")[2] or name, slot, f"{key}.path" if path else f"{key}.name")
        located = custom_code(path, self.archive.custom)
        if isinstance(located, Mismatch):
            fit = _no_library(slot) if is_library(path) else located
            self.findings.fault(f"{key}.path", found=shown(path), expected=fit.expected, write=fit.write)
            return None
        return self._custom(located, slot, f"{key}.path")

    def _named(self, name: str, slot: str, key: str) -> Target | None:
        target = find(slot, current_name(name))
        if target is not None:
            return target
        near = suggest(slot, name)
        others = [a_component(other) for other in slots_of(name)]
        if others:
            expected, write = f"{a_component(slot)} ({name} is {others[0]})", f"the name of {a_component(slot)}"
        elif near is not None:
            expected, write = f"the name of {a_component(slot)}", f"{shown(near)} (did you mean this?)"
        else:
            expected = f"the name of {a_component(slot)}"
            write = 'a name from the docs, or "path": "module.Class" for code in the archive\'s custom folder'
        self.findings.fault(key, found=shown(name), expected=expected, write=write)
        return None

    def _custom(self, target: Target, slot: str, key: str) -> Target | None:
        shown_file = self.archive.shown(target.file)
        if not self._is_possible(target, slot, key):
            return None
        if not self.allow_custom_code:
            self.findings.refusals.append(
                Fault(
                    self.findings.file,
                    key,
                    f"code that the archive brings along ({shown_file})",
                    "leave to run it",
                    "--allow-custom-code if you have read it and trust it",
                )
            )
        return target

    def _is_possible(self, target: Target, slot: str, key: str) -> bool:
        """Whether custom code builds on nothing that is missing here; what is, is reported."""
        foreign = foreign_imports(target, slot, custom=self.archive.custom)
        if foreign:
            places = " and ".join(f"{each.name} ({self._place(each)})" for each in foreign)
            self.findings.fault(
                key,
                found=f"{target.path}, which builds on {places}",
                expected=f"{a_component(slot)} in PyTorch",
                write=f"{_PORTS.get(slot, _TRANSFORM_PORT)} (docs/how-to/{_PAGES.get(slot, 'use-custom-code')}.md)",
            )
            return False
        missing = missing_names(target, self.archive.custom)
        for each in missing:
            home = v3_names().get(each.name.rpartition(".")[2])
            name = each.name.rpartition(".")[2]
            write = f"from {home} import {name}" if home else "your own code for it, or one of these"
            self.findings.fault(
                key,
                found=f"{target.path}, which imports {each.name} ({self._place(each)})",
                expected=f"names of v3 that are here: {', '.join(v3_names())}",
                write=write,
            )
        if freezes_dice(target, self.archive.custom):
            self.findings.warn(
                key,
                found=f"{target.path}, which uses random numbers and has no method is_deterministic",
                expected="one that gives False: without it, v3's code counts as deterministic, and a cache keeps "
                "what it drew the first time",
                write="def is_deterministic(self): return False",
            )
        return not missing

    def _place(self, each: Import) -> str:
        return f"{self.archive.shown(each.file)}, line {each.line}"

    def _signature(self, target: Target, slot: str, key: str) -> Signature | None:
        file = self.archive.shown(target.file)
        try:
            return read_signature(target, self.archive.custom)
        except SyntaxError as error:
            found = f"{file}, which is not Python (line {error.lineno}: {error.msg})"
            self.findings.fault(f"{key}.path", found=found, expected="Python source", write="the file anew")
        except (LookupError, OSError):
            found = f"{target.path}, which {file} does not define"
            self.findings.fault(
                key, found=found, expected=f"the class of {a_component(slot)}", write="a class that it defines"
            )
        return None


def a_component(slot: str) -> str:
    """What stands in a slot, in words: ``a loss``, ``an inferer``."""
    word = _WORDS.get(slot, slot.replace("_", " "))
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _no_library(slot: str) -> Mismatch:
    """What to write instead of a library's class where the slot takes none by path."""
    return Mismatch(
        f"{a_component(slot)} that ships or lies in custom/ (by path come {', '.join(LIBRARY_ADAPTERS)} of a library)",
        f"the name of one that ships, or {_PORTS.get(slot, _TRANSFORM_PORT)} that uses it",
    )


def _written(node: Mapping[str, Any]) -> object:
    """The arguments as they are written; none at all is the same as no ``args``."""
    return {} if node.get("args") is None else node["args"]
