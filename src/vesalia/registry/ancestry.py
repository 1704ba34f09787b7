"""What custom code builds on, told from its source and that of its neighbours in ``custom``; nothing is imported."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vesalia.registry.source import (
    PACKAGE_ROOT,
    SourceModule,
    imported_modules,
    locate_module,
    module_below,
    read_source,
)
from vesalia.registry.target import Target

__all__ = ["Import", "foreign_imports", "freezes_dice", "may_throw_dice", "missing_names", "v3_names"]

_GRAPH_LIBRARIES = frozenset({"tensorflow", "keras", "horovod", "tensorpack", "tf_slim", "tensorflow_addons"})
_V3 = "ai4med"
_GRAPH_SLOTS = frozenset({"model", "loss", "optimizer", "lr_policy", "aux_op", "inferer", "model_loader", "handler"})
"""Slots whose ``ai4med`` classes were TensorFlow graphs; the others worked on NumPy arrays."""
_DICE = "random"


@dataclass(frozen=True, slots=True)
class Import:
    """Something that custom code imports.

    Attributes:
        name: Its dotted name.
        file: The source that imports it.
        line: The line there.
    """

    name: str
    file: Path
    line: int


def foreign_imports(target: Target, slot: str, *, custom: Path | None) -> tuple[Import, ...]:
    """TensorFlow (or v3 graph) packages that a class needs, each where it is imported first."""
    found: dict[str, Import] = {}
    for each in _imports(target, custom):
        top = each.name.partition(".")[0]
        if top in _GRAPH_LIBRARIES or (top == _V3 and slot in _GRAPH_SLOTS):
            found.setdefault(top, Import(top, each.file, each.line))
    return tuple(found.values())


def missing_names(target: Target, custom: Path | None) -> tuple[Import, ...]:
    """Names of v3's package that a class needs and that are not here."""
    missing = [each for each in _imports(target, custom) if each.name.startswith(f"{_V3}.") and not _is_here(each.name)]
    outer = {each.name.rpartition(".")[0] for each in missing}  # the module of a name that is missing, too
    return tuple(dict.fromkeys(each for each in missing if each.name not in outer))


def may_throw_dice(target: Target, custom: Path | None) -> bool:
    """Whether a class, or what it builds on in ``custom``, mentions anything random."""
    return any(_mentions_dice(module.tree) for module in _sources(target, custom))


def freezes_dice(target: Target, custom: Path | None) -> bool:
    """Whether a transform for v3 throws dice and says nowhere that it is not deterministic: a cache keeps one throw."""
    if not any(each.name.startswith(f"{_V3}.components.transforms") for each in _imports(target, custom)):
        return False
    functions = {
        node.name
        for module in _sources(target, custom)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef)
    }
    return "is_deterministic" not in functions and may_throw_dice(target, custom)


@lru_cache(maxsize=1)
def v3_names() -> dict[str, str]:
    """The public names of v3's package that are here, and the module of each."""
    names: dict[str, str] = {}
    for file in sorted((PACKAGE_ROOT / _V3).rglob("*.py")):
        module = ".".join(file.relative_to(PACKAGE_ROOT).with_suffix("").parts)
        source = read_source(file, module)
        listed = source.values.get("__all__")
        for name in ast.literal_eval(listed) if listed else ():
            names.setdefault(name, module)
    return names


def _is_here(dotted: str) -> bool:
    module, _, name = dotted.rpartition(".")
    if name == "*":
        return True
    if locate_module(dotted) is not None:
        return True
    file = locate_module(module)
    if file is None:
        return False
    source = read_source(file, module)
    functions = {node.name for node in source.tree.body if isinstance(node, ast.FunctionDef)}
    return name in functions or name in source.classes or name in source.imports


def _sources(target: Target, custom: Path | None) -> Iterator[SourceModule]:
    """The module of a class, and those of ``custom`` that it imports, directly or through others."""
    waiting = [(target.file, target.module)]
    seen: set[Path] = set()
    while waiting:
        file, name = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            source = read_source(file, name)
        except (SyntaxError, OSError):
            continue
        yield source
        for module, _ in imported_modules(source.tree, _package(source)):
            neighbour = _neighbour(module, custom)
            if neighbour is not None:
                waiting.append((neighbour, module))


def _imports(target: Target, custom: Path | None) -> Iterator[Import]:
    """What those modules import from elsewhere."""
    for source in _sources(target, custom):
        for module, line in imported_modules(source.tree, _package(source)):
            if _neighbour(module, custom) is None:
                yield Import(module, source.file, line)


def _neighbour(module: str, custom: Path | None) -> Path | None:
    return module_below(custom, module) if custom else None


def _package(source: SourceModule) -> str:
    return source.name if source.file.name == "__init__.py" else source.name.rpartition(".")[0]


def _mentions_dice(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        names = [getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "module", None)]
        if isinstance(node, ast.Import | ast.ImportFrom):
            names += [alias.name for alias in node.names]
        if any(isinstance(name, str) and _DICE in name for name in names):
            return True
    return False
