"""A constructor's parameters, read from the source of its class: the signature is the schema of ``args``.

Nothing is imported, so checking a config needs no torch, takes milliseconds, and runs no stranger's code.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vesalia.registry.kinds import KINDS
from vesalia.registry.source import OWN_PACKAGES, SourceModule, locate_module, module_below, read_source
from vesalia.registry.target import Target

__all__ = ["Parameter", "Signature", "lineage", "read_signature"]

_PLAIN_BASES = frozenset({"object", "ABC", "Generic", "Protocol", "Module"})
_STANDARD_NAMES = frozenset(
    {
        "int",
        "float",
        "bool",
        "str",
        "None",
        "Sequence",
        "list",
        "List",
        "tuple",
        "Tuple",
        "Iterable",
        "Collection",
        "Mapping",
        "dict",
        "Dict",
        "Literal",
        "Optional",
        "Union",
        "Annotated",
        "Final",
    }
)
_MAX_ALIASES = 20
"""How many aliases are followed into each other before an annotation is given up (they may form a circle)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a constructor.

    Attributes:
        name: Its name, and the key in ``args``.
        annotation: Its annotation with all aliases written out, as :func:`vesalia.registry.kinds.coerce` reads it.
        required: Whether it has no default.
    """

    name: str
    annotation: str
    required: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A constructor.

    Attributes:
        parameters: By name, in order.
        defaults: The defaults that are written as plain values.
        is_open: Whether it takes arguments beyond these (``**kwargs``, or a base class that could not be read).
        doc: The class's docstring.
    """

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    is_open: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A class in its module, and the folder that the archive's own modules lie in."""

    module: SourceModule
    node: ast.ClassDef
    custom: Path | None


def read_signature(target: Target, custom: Path | None = None) -> Signature:
    """Read the constructor of a class from its source, through its base classes where it has none of its own.

    Args:
        target: The class.
        custom: The archive's ``custom`` folder, for classes that build on others there.

    Raises:
        LookupError: The module has no such class.
        SyntaxError: The file is not Python of this version.
        OSError: The file cannot be read.
    """
    module = read_source(target.file, target.module)
    place = _find_class(module, target.qualname, custom)
    if place is None:
        message = f"{target.file} has no class {target.qualname}"
        raise LookupError(message)
    signature = _of_class(place, frozenset())
    doc = ast.get_docstring(place.node) or ""
    return Signature(signature.parameters, signature.defaults, signature.is_open, doc)


def lineage(target: Target, custom: Path | None = None) -> frozenset[str]:
    """The dotted paths of a class and of those it derives from; of other packages only the first ones."""
    found: set[str] = set()
    first = _find_class(read_source(target.file, target.module), target.qualname, custom)
    waiting = [first] if first else []
    while waiting:
        place = waiting.pop()
        path = f"{place.module.name}.{place.node.name}"
        bases = [] if path in found else place.node.bases
        found.add(path)
        for base in bases:
            name = _dotted_name(base.value if isinstance(base, ast.Subscript) else base)
            parent = _find_class(place.module, name, custom)
            if parent is not None:
                waiting.append(parent)
            else:
                head, _, rest = name.partition(".")
                found.add(".".join(filter(None, [*place.module.imports.get(head, (head, "")), rest])))
    return frozenset(found)


def _find_class(module: SourceModule, name: str, custom: Path | None, depth: int = 0) -> _Place | None:
    """The class ``name`` of ``module``, followed through imports below Vesalia, the module's package or ``custom``."""
    first, _, rest = name.partition(".")
    if not rest and first in module.classes:
        return _Place(module, module.classes[first], custom)
    other = module.values.get(first)
    if not rest and isinstance(other, ast.Name) and depth <= _MAX_ALIASES:  # a second name of a class
        return _find_class(module, other.id, custom, depth + 1)
    if first not in module.imports or depth > _MAX_ALIASES:
        return None
    origin, imported = module.imports[first]
    dotted = ".".join(filter(None, [origin, imported, rest]))
    found = _near_module(dotted.rpartition(".")[0], module, custom)
    return _find_class(found, dotted.rpartition(".")[2], custom, depth + 1) if found else None


def _near_module(dotted: str, seen_from: SourceModule, custom: Path | None) -> SourceModule | None:
    """A module that may be read: our own, the same package's, or the archive's; other packages stay closed."""
    top = dotted.partition(".")[0]
    is_open = top in {*OWN_PACKAGES, seen_from.name.partition(".")[0]}
    file = locate_module(dotted, custom) if is_open else custom and module_below(custom, dotted)
    if file is None:
        return None
    try:
        return read_source(file, dotted)
    except (SyntaxError, OSError):
        return None


def _of_class(place: _Place, seen: frozenset[tuple[Path, str]]) -> Signature:
    for statement in place.node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return _of_function(place.module, statement, place.custom)
    if _is_dataclass(place.node):
        return _of_dataclass(place, seen)
    return _of_bases(place, seen)


def _of_bases(place: _Place, seen: frozenset[tuple[Path, str]]) -> Signature:
    """The first base class that has parameters; unknown bases make the signature open."""
    key = (place.module.file, place.node.name)
    is_open = key in seen
    for base in () if is_open else place.node.bases:
        name = _dotted_name(base.value if isinstance(base, ast.Subscript) else base)
        parent = _find_class(place.module, name, place.custom)
        if parent is None:
            is_open = is_open or name.rpartition(".")[2] not in _PLAIN_BASES
            continue
        found = _of_class(parent, seen | {key})
        if found.parameters or found.is_open:
            return found
    return Signature(is_open=is_open)


def _dotted_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _of_function(module: SourceModule, function: ast.FunctionDef, custom: Path | None) -> Signature:
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args][1:]
    defaults: list[ast.expr | None] = [None] * (len(places) - len(arguments.defaults))
    rows = [
        *zip(places, [*defaults, *arguments.defaults], strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    named = [(row.arg, row.annotation, default) for row, default in rows]
    return _signature(module, named, is_open=arguments.kwarg is not None, custom=custom)


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = [_dotted_name(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list]
    return any(name in {"dataclass", "dataclasses.dataclass"} for name in names)


def _of_dataclass(place: _Place, seen: frozenset[tuple[Path, str]]) -> Signature:
    inherited = _of_bases(place, seen)
    own = _signature(place.module, list(_dataclass_rows(place.node)), is_open=False, custom=place.custom)
    return Signature(
        {**inherited.parameters, **own.parameters}, {**inherited.defaults, **own.defaults}, inherited.is_open
    )


def _dataclass_rows(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if "ClassVar" in ast.unparse(statement.annotation):
            continue
        value = statement.value
        if isinstance(value, ast.Call) and _dotted_name(value.func) in {"field", "dataclasses.field"}:
            options = {keyword.arg: keyword.value for keyword in value.keywords}
            if ast.unparse(options.get("init", ast.Constant(value=True))) == "False":
                continue
            value = options.get("default", options.get("default_factory"))
        yield statement.target.id, statement.annotation, value


def _signature(
    module: SourceModule,
    rows: list[tuple[str, ast.expr | None, ast.expr | None]],
    *,
    is_open: bool,
    custom: Path | None,
) -> Signature:
    parameters: dict[str, Parameter] = {}
    defaults: dict[str, object] = {}
    for name, annotation, default in rows:
        if name.startswith("_"):
            continue
        text = ast.unparse(_Aliases(module, custom).written_out(annotation)) if annotation else "Any"
        parameters[name] = Parameter(name, text, required=default is None)
        if default is not None:
            defaults.update(_literal(name, default, module))
    return Signature(parameters, defaults, is_open)


def _literal(name: str, node: ast.expr, module: SourceModule) -> dict[str, object]:
    """The default as a one-entry dict, or an empty one where it is not written as a plain value."""
    if isinstance(node, ast.Name):
        node = module.values.get(node.id, node)
    try:
        return {name: ast.literal_eval(node)}
    except (ValueError, TypeError):
        return {}


class _Aliases(ast.NodeTransformer):
    """Writes out the names in an annotation: kinds and standard names stay, aliases become what they stand for."""

    def __init__(self, module: SourceModule, custom: Path | None, depth: int = 0) -> None:
        self._module = module
        self._custom = custom
        self._depth = depth

    def written_out(self, node: ast.expr) -> ast.expr:
        """The annotation without aliases; ``node`` itself stays as it is."""
        copy = ast.parse(ast.unparse(node), mode="eval").body
        result = self.visit(copy)
        return result if isinstance(result, ast.expr) else copy

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Leave the choices of a ``Literal`` alone: they are values, not names."""
        if _dotted_name(node.value).rpartition(".")[2] != "Literal":
            node.slice = self.written_out(node.slice)
        node.value = ast.Name(_dotted_name(node.value).rpartition(".")[2] or "Any")
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """An annotation in quotes is an annotation."""
        if not isinstance(node.value, str):
            return node
        try:
            return self.written_out(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return ast.Name("Any")

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """``kinds.Count`` is ``Count``."""
        first, _, rest = _dotted_name(node).partition(".")
        origin, imported = self._module.imports.get(first, (first, ""))
        dotted = ".".join(filter(None, [origin, imported, rest]))
        return self._imported(dotted.rpartition(".")[0], dotted.rpartition(".")[2])

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A kind, a standard name, or an alias that is set in this module or imported from another one."""
        if node.id in self._module.imports:
            return self._imported(*self._module.imports[node.id])
        if node.id in self._module.values and self._depth < _MAX_ALIASES:
            return _Aliases(self._module, self._custom, self._depth + 1).written_out(self._module.values[node.id])
        return node if node.id in _STANDARD_NAMES else ast.Name("Any")

    def _imported(self, module_name: str, name: str) -> ast.expr:
        if module_name == "vesalia.registry.kinds":
            return ast.Name(name if name in KINDS else "Any")
        if module_name in {"typing", "collections.abc", "typing_extensions"}:
            return ast.Name(name if name in _STANDARD_NAMES else "Any")
        found = _near_module(module_name, self._module, self._custom)
        if found is None or name not in found.values or self._depth >= _MAX_ALIASES:
            return ast.Name("Any")
        return _Aliases(found, self._custom, self._depth + 1).written_out(found.values[name])
