"""Holds the code to the budgets of CONTRIBUTING.md: reads files with ``ast``, prints each fault, exits 1 if any."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["EXEMPT", "Budget", "judge", "main"]

ROOT = Path(__file__).resolve().parents[1]

FILE_MEDIAN, FILE_P90, FILE_HARD = 150, 400, 600
FUNCTION_MEDIAN, FUNCTION_P90, FUNCTION_HARD = 10, 30, 60
PARAMETERS, PARAMETERS_COMPONENT, POSITIONAL = 8, 12, 2
INHERITANCE = 2
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
SPDX = "# SPDX-License-Identifier: Apache-2.0"
FUTURE = "from __future__ import annotations"
# Constructors here are config schemas, commands are the schema of the command line: up to 12 parameters, given by name.
COMPONENT_FOLDERS = ("vesalia/components/", "vesalia/transforms/", "vesalia/pipelines/", "vesalia/training/handlers/")
COMMAND_FOLDER = "vesalia/cli/"
# Conformance suites are tests: there, assert is how to judge, and the tests of the components run them.
SUITES = ("vesalia/testing/",)
# Module paths that old code imports: their names are not ours to choose.
IMPOSED = ("ai4med/",)
# `print` belongs to the command line, and to nothing else.
PRINTS = (COMMAND_FOLDER,)

# (file under src/, rule) -> the reason. No exemption without one; one that is no longer needed is a fault.
EXEMPT: dict[tuple[str, str], str] = {
    ("vesalia/api.py", "parameters"): "a method mirrors its command: one keyword per option",
    ("vesalia/api.py", "file-length"): "one method per command, with the words for each of its options",
    ("vesalia/cli/train.py", "parameters"): "one option per thing that a run may be asked for",
    ("vesalia/components/models/alexnet.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/inference/foreign.py", "pickle"): "the name of what torch raises when it refuses to run code",
    ("vesalia/components/models/segresnet.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/components/models/unet.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/imaging/affine_loops.py", "parameters"): "compiled loops take what they need one by one",
    ("vesalia/imaging/affine_loops.py", "positional"): "compiled loops take what they need one by one",
    ("vesalia/imaging/box_loops.py", "parameters"): "compiled loops take what they need one by one",
    ("vesalia/imaging/box_loops.py", "positional"): "compiled loops take what they need one by one",
    ("vesalia/pipelines/segmentation.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/pipelines/segmentation_with_cache.py", "parameters"): "v3 names the arguments, and a config may use all",
    ("vesalia/pipelines/segmentation_keras.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/pipelines/segmentation_keras_with_cache.py", "parameters"): "v3 names the arguments",
    ("vesalia/pipelines/classification.py", "parameters"): "v3 names the arguments, and a config may use them all",
    ("vesalia/pipelines/classification_with_cache.py", "parameters"): "v3 names the arguments",
    ("vesalia/pipelines/classification_keras.py", "parameters"): "v3 names the arguments, and a config may use all",
    ("vesalia/pipelines/classification_keras_with_cache.py", "parameters"): "v3 names the arguments",
    ("vesalia/pipelines/classification_keras_with_cache.py", "function-length"): "each argument is handed on by name",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Budget:
    """What one run found: the faults, and the lengths its medians are taken from.

    Attributes:
        faults: One line each, ``file:line: rule: what``.
        file_lines: Length of every file.
        function_lines: Length of every function, its docstring left out.
        used: The exemptions that were needed.
        classes: Class name to where it stands and the names of its bases.
    """

    faults: list[str] = field(default_factory=list)
    file_lines: list[int] = field(default_factory=list)
    function_lines: list[int] = field(default_factory=list)
    used: set[tuple[str, str]] = field(default_factory=set)
    classes: dict[str, tuple[str, int, list[str]]] = field(default_factory=dict)

    def fault(self, where: tuple[str, int], rule: str, text: str) -> None:
        """Notes a fault, unless the file is exempt from the rule."""
        if (where[0], rule) in EXEMPT:
            self.used.add((where[0], rule))
            return
        self.faults.append(f"src/{where[0]}:{where[1]}: {rule}: {text}")


@dataclass(frozen=True)
class Place:
    """Where a function stands.

    Attributes:
        owner: The class it is a method of, if any.
        private: Whether only its own file can call it: its name, its class or the function around it says so.
    """

    owner: ast.ClassDef | None = None
    private: bool = False


def functions_of(tree: ast.AST, place: Place | None = None) -> Iterator[tuple[Function, Place]]:
    """Every function below ``tree``, with its place."""
    place = place or Place()
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, Function):
            private = place.private or (child.name.startswith("_") and not child.name.endswith("__"))
            yield child, Place(place.owner, private)
            yield from functions_of(child, Place(None, private=True))
        elif isinstance(child, ast.ClassDef):
            yield from functions_of(child, Place(child, place.private or child.name.startswith("_")))
        else:
            yield from functions_of(child, place)


def length_without_docstring(node: Function) -> int:
    """Lines from ``def`` to the end, less the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def is_public(name: str) -> bool:
    """Whether a name is for others to use."""
    return not name.startswith("_")


def judge_head(budget: Budget, name: str, text: str, tree: ast.Module) -> None:
    """The head of a file: docstring, SPDX line, future import, ``__all__``; a package holds its docstring only."""
    if ast.get_docstring(tree) is None:
        budget.fault((name, 1), "head", "has no docstring; write one as the first line")
    package = name.endswith("__init__.py")
    if package and name.count("/") > 1:
        if len(tree.body) > 1:
            budget.fault((name, 1), "package", "holds more than its docstring; import from the defining module instead")
        return
    if len(tree.body) <= 1 or name.endswith("__main__.py"):
        return
    if SPDX not in text:
        budget.fault((name, 1), "head", f"lacks the line {SPDX!r}")
    if FUTURE not in text:
        budget.fault((name, 1), "head", f"lacks the line {FUTURE!r}")
    assigned = {target.id for node in tree.body for target in targets_of(node) if isinstance(target, ast.Name)}
    if "__all__" not in assigned:
        budget.fault((name, 1), "head", "has no __all__; list its public names")


def targets_of(node: ast.stmt) -> list[ast.expr]:
    """What a statement assigns to."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def judge_function(budget: Budget, name: str, *, node: Function, place: Place) -> None:
    """One function: length, parameters, types, docstring."""
    where = (name, node.lineno)
    length = length_without_docstring(node)
    budget.function_lines.append(length)
    if length > FUNCTION_HARD:
        budget.fault(where, "function-length", f"{node.name} has {length} lines; at most {FUNCTION_HARD}")
    judge_parameters(budget, name, node=node, place=place)
    if node.returns is None:
        budget.fault(where, "types", f"{node.name} does not say what it returns")


def judge_parameters(budget: Budget, name: str, *, node: Function, place: Place) -> None:
    """The parameters of one function: how many, how many by position, all typed.

    A private function may take more by position: its callers stand in the same file.
    """
    where = (name, node.lineno)
    static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
    bound = 1 if place.owner is not None and not static else 0
    positional = (node.args.posonlyargs + node.args.args)[bound:]
    everything = positional + node.args.kwonlyargs
    constructor = place.owner is not None and node.name == "__init__" and name.startswith(COMPONENT_FOLDERS)
    schema = constructor or (name.startswith(COMMAND_FOLDER) and not place.private and place.owner is None)
    limit = PARAMETERS_COMPONENT if schema else PARAMETERS
    if len(everything) > limit:
        budget.fault(where, "parameters", f"{node.name} takes {len(everything)}; at most {limit}")
    if len(positional) > POSITIONAL and not schema and not place.private and not is_fixed_by_another(node):
        text = f"{node.name} takes {len(positional)} by position; put `*` after the first {POSITIONAL}"
        budget.fault(where, "positional", text)
    for argument in [*everything, node.args.vararg, node.args.kwarg]:
        if argument is not None and argument.annotation is None:
            budget.fault(where, "types", f"{node.name}: parameter {argument.arg} has no type")


def is_fixed_by_another(node: Function) -> bool:
    """Whether another party fixed the signature: magic methods and overrides."""
    magic = node.name.startswith("__") and node.name != "__init__"
    return magic or any(isinstance(item, ast.Name) and item.id == "override" for item in node.decorator_list)


def judge_docstrings(budget: Budget, name: str, tree: ast.Module) -> None:
    """Every public class, function and method says what it is; an override may lean on its base."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Function) or not is_public(node.name):
            continue
        if ast.get_docstring(node) is None:
            budget.fault((name, node.lineno), "docstring", f"{node.name} has none")
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, Function) and is_public(method.name) and ast.get_docstring(method) is None:
                    budget.fault((name, method.lineno), "docstring", f"{node.name}.{method.name} has none")


def judge_statements(budget: Budget, name: str, tree: ast.Module) -> None:
    """Statements that have no place in the package."""
    for node in ast.walk(tree):
        where = (name, getattr(node, "lineno", 1))
        if isinstance(node, ast.Assert) and not name.startswith(SUITES):
            budget.fault(where, "assert", "judges with assert; raise an error of vesalia.errors")
        elif isinstance(node, ast.Global):
            budget.fault(where, "global", "uses a global; pass the state in")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "print" and not name.startswith(PRINTS):
                budget.fault(where, "print", "prints; only the command line does")
            if node.func.id in {"eval", "exec", "compile"}:
                budget.fault(where, "eval", f"calls {node.func.id}; a config is names and values, never code")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any(item.split(".")[0] in {"pickle", "marshal", "shelve", "dill"} for item in names):
                budget.fault(where, "pickle", "imports a loader that can run code; use safetensors and JSON")


def judge_place(budget: Budget, name: str) -> None:
    """The file's name, and the test that belongs to it."""
    path = Path(name)
    for part in (*path.parts[:-1], path.stem):
        if part in BANNED_NAMES and not name.startswith(IMPOSED):
            budget.fault((name, 1), "name", f"{part!r} says nothing; name the thing it holds")
    if path.stem in {"__init__", "__main__"} or name.startswith(SUITES):
        return
    inside = path.parts[1:] if path.parts[0] == "vesalia" else path.parts
    test = ROOT.joinpath("tests", *inside[:-1], f"test_{path.stem.lstrip('_')}.py")
    if not test.is_file():
        budget.fault((name, 1), "test", f"has no test file; write {test.relative_to(ROOT)}")


def judge_inheritance(budget: Budget) -> None:
    """How deep our own classes inherit from each other: a base and its child are 1, a grandchild is 2."""

    def depth(name: str, seen: frozenset[str] = frozenset()) -> int:
        bases = [base for base in budget.classes[name][2] if base in budget.classes and base not in seen]
        return max((1 + depth(base, seen | {name}) for base in bases), default=0)

    for name, (file, line, _) in budget.classes.items():
        if depth(name) > INHERITANCE:
            text = f"{name} stands {depth(name)} below its root; at most {INHERITANCE}; pass an object in instead"
            budget.fault((file, line), "inheritance", text)


def percentile_90(lengths: list[int]) -> float:
    """The length that nine in ten do not pass."""
    return statistics.quantiles(lengths, n=10, method="inclusive")[-1] if len(lengths) > 1 else float(max(lengths))


def judge_spread(budget: Budget) -> None:
    """Medians and 90th percentiles over the whole package."""
    rows = (
        ("file", budget.file_lines, FILE_MEDIAN, FILE_P90),
        ("function", budget.function_lines, FUNCTION_MEDIAN, FUNCTION_P90),
    )
    for what, lengths, median, p90 in rows:
        if not lengths:
            continue
        if statistics.median(lengths) > median:
            budget.faults.append(f"src: {what}-median: {statistics.median(lengths):.0f} lines; at most {median}")
        if percentile_90(lengths) > p90:
            budget.faults.append(f"src: {what}-p90: {percentile_90(lengths):.0f} lines; at most {p90}")


def judge_file(budget: Budget, path: Path, name: str) -> None:
    """One file against every rule."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    lines = text.count("\n")
    budget.file_lines.append(lines)
    if lines > FILE_HARD:
        budget.fault((name, 1), "file-length", f"{lines} lines; at most {FILE_HARD}")
    judge_place(budget, name)
    judge_head(budget, name, text, tree)
    judge_docstrings(budget, name, tree)
    judge_statements(budget, name, tree)
    for node, place in functions_of(tree):
        judge_function(budget, name, node=node, place=place)
    for item in ast.walk(tree):
        if isinstance(item, ast.ClassDef):
            bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in item.bases]
            budget.classes[item.name] = (name, item.lineno, bases)


def judge(source: Path) -> Budget:
    """Every file under a source folder.

    Args:
        source: The folder that holds the packages, ``src``.

    Returns:
        The faults found, and the lengths measured.
    """
    budget = Budget()
    for path in sorted(source.rglob("*.py")):
        judge_file(budget, path, path.relative_to(source).as_posix())
    judge_inheritance(budget)
    judge_spread(budget)
    return budget


def main() -> int:
    """Judges ``src`` and prints what is wrong; the exit code for the shell."""
    budget = judge(ROOT / "src")
    unneeded = [f"scripts/budgets.py: EXEMPT{key}: no longer needed; remove it" for key in EXEMPT.keys() - budget.used]
    for line in (*budget.faults, *unneeded):
        print(line)
    return 1 if budget.faults or unneeded else 0


if __name__ == "__main__":
    sys.exit(main())
