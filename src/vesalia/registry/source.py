"""Python source read as data: where a module's file is, and what stands in it, without importing it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

__all__ = [
    "OWN_PACKAGES",
    "PACKAGE_ROOT",
    "SourceModule",
    "imported_modules",
    "locate_module",
    "module_below",
    "read_source",
]

OWN_PACKAGES = frozenset({"vesalia", "ai4med"})
"""The packages that ship together, and that components build on."""
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
"""The folder that these packages lie in."""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """One module as its source says.

    Attributes:
        name: Dotted name.
        file: The source file.
        classes: Classes at the top level of the module.
        values: What is assigned to a name at the top level.
        imports: Local name to (module, name in that module); the second is empty for ``import module``.
        tree: The whole source.
    """

    name: str
    file: Path
    classes: Mapping[str, ast.ClassDef]
    values: Mapping[str, ast.expr]
    imports: Mapping[str, tuple[str, str]]
    tree: ast.Module


def module_below(folder: Path, dotted: str) -> Path | None:
    """The file of module ``dotted`` below ``folder``, or None."""
    parts = dotted.split(".")
    if not all(parts):
        return None
    base = folder.joinpath(*parts)
    for file in (base.with_name(base.name + ".py"), base / "__init__.py"):
        if file.is_file():
            return file
    return None


def locate_module(dotted: str, custom: Path | None = None) -> Path | None:
    """The file of a module, found without importing it or the packages above it.

    Args:
        dotted: Name of the module.
        custom: A folder that is looked in first, such as an archive's ``custom``.
    """
    top, _, rest = dotted.partition(".")
    if top in OWN_PACKAGES:
        return module_below(PACKAGE_ROOT, dotted)
    found = module_below(custom, dotted) if custom else None
    return found or _installed(top, rest)


@lru_cache(maxsize=256)
def _installed(top: str, rest: str) -> Path | None:
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    origin = Path(spec.origin)
    return module_below(origin.parent, rest) if rest else origin


def read_source(file: Path, name: str) -> SourceModule:
    """Read a module's source.

    Raises:
        SyntaxError: The file is not Python of this version.
        OSError: The file cannot be read.
    """
    state = file.stat()
    return _read(file, name, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=512)
def _read(file: Path, name: str, _changed_ns: int, _size: int) -> SourceModule:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except ValueError as error:  # a null byte, before Python 3.12
        raise SyntaxError(str(error)) from error
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return SourceModule(name, file, classes, dict(_assignments(tree)), dict(_imports(tree, package)), tree)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value


def _imports(tree: ast.Module, package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname or top), (alias.name if alias.asname else top, "")
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            for alias in node.names:
                yield (alias.asname or alias.name), (module, alias.name)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def imported_modules(tree: ast.Module, package: str) -> Iterator[tuple[str, int]]:
    """Every module that a source imports anywhere, by its full dotted name, and the line where it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
