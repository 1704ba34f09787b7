"""The budgets script finds what it says it finds; the package itself is judged by scripts/check."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "budgets.py"
HEAD = """\
'''A file.'''

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

__all__: list[str] = []
"""


@pytest.fixture(scope="module")
def budgets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vesalia_budgets", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def faults(budgets: ModuleType, folder: Path, body: str, name: str = "vesalia/errors.py") -> list[str]:
    """The rules a file with this body breaks."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + body, encoding="utf-8")
    return [line.split(": ")[1] for line in budgets.judge(folder).faults]


BROKEN = {
    "assert": "assert 1 == 1\n",
    "global": "def f() -> None:\n    global x\n    x = 1\n".replace("def f", "def _f"),
    "print": "print(1)\n",
    "eval": "eval('1')\n",
    "pickle": "import pickle\n",
    "docstring": "def f() -> None:\n    return\n",
    "types": "def _f(a) -> None:\n    return\n",
    "positional": "def f(a: int, b: int, c: int) -> None:\n    return\n",
    "parameters": "def _f(*, " + ", ".join(f"a{i}: int" for i in range(9)) + ") -> None:\n    return\n",
    "function-length": "def _f() -> None:\n" + "    a = 1\n" * 61,
    "file-length": "A = 1\n" * 601,
    "inheritance": "class _A: ...\nclass _B(_A): ...\nclass _C(_B): ...\nclass _D(_C): ...\n",
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_found(budgets: ModuleType, tmp_path: Path, rule: str) -> None:
    assert rule in faults(budgets, tmp_path, BROKEN[rule])


def test_a_clean_file_has_no_fault_but_the_test_it_lacks(budgets: ModuleType, tmp_path: Path) -> None:
    body = 'def f(a: int, b: int, *, c: int) -> int:\n    """Adds."""\n    return a + b + c\n'
    assert faults(budgets, tmp_path, body, name="vesalia/no_such_file.py") == ["test"]


def test_a_docstring_does_not_count_as_length(budgets: ModuleType, tmp_path: Path) -> None:
    body = 'def _f() -> None:\n    """Long.\n' + "    word\n" * 80 + '    """\n    return\n'
    assert "function-length" not in faults(budgets, tmp_path, body)


def test_a_private_function_may_take_more_by_position(budgets: ModuleType, tmp_path: Path) -> None:
    body = "def _f(a: int, b: int, c: int) -> None:\n    return\n"
    assert "positional" not in faults(budgets, tmp_path, body)


def test_names_that_say_nothing_are_found(budgets: ModuleType, tmp_path: Path) -> None:
    assert "name" in faults(budgets, tmp_path, "A = 1\n", name="vesalia/utils.py")


def test_a_package_file_holds_its_docstring_only(budgets: ModuleType, tmp_path: Path) -> None:
    assert "package" in faults(budgets, tmp_path, "A = 1\n", name="vesalia/mmar/__init__.py")


def test_a_method_of_the_command_line_may_print(budgets: ModuleType, tmp_path: Path) -> None:
    assert "print" not in faults(budgets, tmp_path, "print(1)\n", name="vesalia/cli/main.py")


def test_every_exemption_has_a_reason(budgets: ModuleType) -> None:
    assert all(len(reason) > 20 for reason in budgets.EXEMPT.values())
