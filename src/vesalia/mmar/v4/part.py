"""One component object of a v4 config: its name or path, its arguments, whether it is on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vesalia.mmar.v4.code import without_code
from vesalia.mmar.v4.draft import Draft
from vesalia.registry.kinds import shown

__all__ = ["Part", "is_off", "read_part", "read_parts"]


@dataclass(frozen=True, slots=True)
class Part:
    """A component as v4 describes it.

    Attributes:
        name: Class name, without an alias.
        handle: What references call it.
        path: Dotted path of the class; empty where there is only a name.
        args: The arguments, without texts that only wire parts together.
        where: Key path in the user's config.
        node: The whole object, for attributes beside the arguments.
    """

    name: str
    where: str
    handle: str = ""
    path: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    node: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_custom(self) -> bool:
        """Whether its class comes with the archive: a path outside MONAI and PyTorch."""
        return "." in self.path and self.path.partition(".")[0] not in {"monai", "torch", "ignite"}

    @property
    def said(self) -> str:
        """Key path and name, as notes tell them."""
        return f"{self.where} {self.name}"

    def at(self, name: str) -> str:
        """Key path of an argument."""
        return f"{self.where}.args.{name}"


def is_off(node: Mapping[str, Any], where: str, *, draft: Draft) -> bool:
    """Whether an object is switched off."""
    return bool(draft.value(node, "disabled", kind="bool", key=where, default=False))


def read_part(node: Any, where: str, *, draft: Draft, read_args: bool = True) -> Part | None:
    """A component; None where there is none, or it is switched off or cannot be read.

    Args:
        node: The JSON data.
        where: Its key path.
        draft: Where faults go.
        read_args: Whether the arguments matter; where not, they are not looked at.
    """
    if node is None:
        return None
    if not isinstance(node, Mapping):
        draft.fault(where, found=shown(node), expected="an object", write='{"name": "...", "args": {}}')
        return None
    name, path = node.get("name"), node.get("path") or ""
    text = name or path
    if is_off(node, where, draft=draft):
        draft.off |= {str(text).partition("#")[0].strip(), str(text).rpartition("#")[2].strip()}
        return None
    if not isinstance(text, str) or not isinstance(path, str) or not text.strip():
        draft.fault(f"{where}.name", found=shown(text), expected="the name of a class", write='"name": "..."')
        return None
    class_name, _, alias = (piece.strip() for piece in text.partition("#"))
    bare = class_name.rpartition(".")[2]
    args = node.get("args") or {}
    if not isinstance(args, Mapping):
        draft.fault(f"{where}.args", found=shown(args), expected="an object", write='{"keys": ["image", "label"]}')
        args = {}
    clean = without_code(args, f"{where}.args", draft=draft) if read_args else {}
    dotted = path or (class_name if "." in class_name else "")
    return Part(bare, where, alias or bare, dotted, clean, node)


def read_parts(nodes: Any, where: str, *, draft: Draft, others: Sequence[Part] = ()) -> list[Part]:
    """A list of components.

    Args:
        nodes: The JSON data.
        where: Its key path.
        draft: Where faults go.
        others: Components that ``ref`` may name.
    """
    if nodes is None:
        return []
    if not isinstance(nodes, list):
        draft.fault(where, found=shown(nodes), expected="a list of components", write="[ ... ]")
        return []
    parts = []
    for index, node in enumerate(nodes):
        place = f"{where}[{index}]"
        if isinstance(node, Mapping) and "ref" in node:
            found = None if is_off(node, place, draft=draft) else _named(node["ref"], place, others, draft)
        else:
            found = read_part(node, place, draft=draft)
        parts += [found] if found else []
    return parts


def _named(handle: Any, where: str, others: Sequence[Part], draft: Draft) -> Part | None:
    found = [other for other in others if other.handle == handle]
    if not found and handle in draft.off:
        return None
    if not found:
        known = [other.handle for other in others]
        draft.unknown(f"{where}.ref", str(handle), known=known, what="the name or alias of one of the train section's")
        return None
    last = found[-1]
    return Part(last.name, where, last.handle, last.path, last.args, last.node)
