"""What the code imports is what the package declares: nothing comes along by luck, nothing is declared for nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import re
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN = {"vesalia", "nvmidl", "ai4med"}
# Installed with an extra; the folder that may need it.
EXTRA = {
    "pytest": "vesalia/testing",
    "SimpleITK": "vesalia/datatools",
    "pydicom": "vesalia/datatools",
    "numba": "vesalia/imaging",
    "onnx": "vesalia/deploy",
    "onnxscript": "vesalia/deploy",
    "onnxruntime": "vesalia/deploy",
    "openvino": "vesalia/deploy/runner",
    "mlflow": "vesalia/training",
}


def imported() -> set[str]:
    """Top-level names of the packages that ``src`` imports, late imports included."""
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        extras = {name for name, folder in EXTRA.items() if folder in path.as_posix()}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names} - extras
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module.split(".")[0]} - extras
    return found - OWN - sys.stdlib_module_names


def plain(name: str) -> str:
    """A distribution's name as comparisons want it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    """The distributions that the base install asks for."""
    asked = metadata.requires("vesalia") or []
    return {plain(re.split(r"[ <>=!~;\[]", line)[0]) for line in asked if "extra ==" not in line}


def imported_distributions() -> set[str]:
    """The distributions behind the imported names."""
    homes = metadata.packages_distributions()
    return {plain(homes[name][0]) for name in imported()}


def test_every_import_is_declared() -> None:
    assert imported_distributions() - declared() == set()


def test_every_declared_dependency_is_imported() -> None:
    assert declared() - imported_distributions() == set()


def test_there_are_no_upper_bounds() -> None:
    assert [line for line in metadata.requires("vesalia") or [] if "<" in line.split(";")[0]] == []


def test_every_direct_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {plain(line.split("==")[0]) for line in lines if "==" in line}
    asked = {plain(re.split(r"[ <>=!~;\[]", line)[0]) for line in metadata.requires("vesalia") or []}
    assert asked - pinned == set()


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "src" / "vesalia" / "py.typed").is_file()
