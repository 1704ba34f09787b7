"""The coverage gates: what is told, and what is let through."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "coverage_gates.py"


@pytest.fixture(scope="module")
def gates() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vesalia_coverage_gates", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def report(gates: ModuleType, **missing: Any) -> dict[str, Any]:
    """A report of one file per folder; ``missing`` is of the first folder's."""
    whole: dict[str, Any] = {"missing_lines": [], "missing_branches": []}
    files = {f"{folder}a.py": dict(whole) for folder in gates.WHOLE}
    files[f"{gates.WHOLE[0]}a.py"] |= missing
    return {"files": {**files, "src/vesalia/api.py": {"missing_lines": [1], "missing_branches": []}}}


def test_whole_folders_pass_whatever_is_missing_elsewhere(gates: ModuleType) -> None:
    assert gates.gaps(report(gates)) == []


def test_a_missing_line_and_a_missing_branch_are_told(gates: ModuleType) -> None:
    found = gates.gaps(report(gates, missing_lines=[7], missing_branches=[[3, 5], [9, -1]]))
    assert found == ["src/vesalia/mmar/a.py: no test reaches 7, 3 to 5, 9 to -1"]


def test_a_folder_that_was_not_measured_is_told(gates: ModuleType) -> None:
    assert len(gates.gaps({"files": {}})) == len(gates.WHOLE)


@pytest.mark.parametrize(("lines", "code"), [([], 0), ([7], 1)])
def test_the_exit_code(
    gates: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[int], code: int
) -> None:
    (tmp_path / "coverage.json").write_text(json.dumps(report(gates, missing_lines=lines)))
    monkeypatch.setattr(sys, "argv", ["coverage_gates.py", str(tmp_path / "coverage.json")])
    assert gates.main() == code
