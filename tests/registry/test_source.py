"""Modules are found and read without being imported."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from vesalia.registry import source
from vesalia.registry.source import imported_modules, locate_module, module_below, read_source


def test_finds_modules_and_packages_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "mod.py").touch()
    assert module_below(tmp_path, "pack") == tmp_path / "pack" / "__init__.py"
    assert module_below(tmp_path, "pack.mod") == tmp_path / "pack" / "mod.py"
    assert module_below(tmp_path, "pack.none") is None
    assert module_below(tmp_path / "pack", "") is None


def test_locates_own_custom_and_installed_modules(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    assert locate_module("vesalia.errors") == Path(source.__file__).parents[1] / "errors.py"
    assert locate_module("vesalia.none") is None
    assert locate_module("ai4med.common.constants") == source.PACKAGE_ROOT / "ai4med" / "common" / "constants.py"
    assert locate_module("mine", tmp_path) == tmp_path / "mine.py"
    assert locate_module("json.decoder", tmp_path) == locate_module("json.decoder")
    assert (locate_module("json") or Path()).name == "__init__.py"


@pytest.mark.parametrize("name", ["no_such_module_at_all", "sys", "math"])
def test_what_has_no_source_is_not_found(name: str) -> None:
    assert locate_module(name) is None


def test_a_module_without_a_specification_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("vesalia_test_without_spec")
    module.__spec__ = None
    monkeypatch.setitem(sys.modules, "vesalia_test_without_spec", module)
    assert locate_module("vesalia_test_without_spec") is None


def test_reads_classes_values_and_imports(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    file.write_text(
        "import os.path\nimport json as j\nfrom . import near\nfrom .sub import thing as t\nfrom x.y import z\n"
        "A = 1\nB: int = 2\nC: int\nD, E = 1, 2\nF = G = 3\nH.i: int = 4\nclass K: pass\n"
    )
    module = read_source(file, "pack.mod")
    assert set(module.classes) == {"K"}
    assert set(module.values) == {"A", "B", "F", "G"}
    assert module.imports == {
        "os": ("os", ""),
        "j": ("json", ""),
        "near": ("pack", "near"),
        "t": ("pack.sub", "thing"),
        "z": ("x.y", "z"),
    }


def test_relative_imports_of_a_package_start_in_it(tmp_path: Path) -> None:
    file = tmp_path / "__init__.py"
    file.write_text("from .sub import a\nfrom ..other import b\n")
    assert read_source(file, "top.pack").imports == {"a": ("top.pack.sub", "a"), "b": ("top.other", "b")}


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "mod.py"
    file.write_text("A = 1\n")
    assert "A" in read_source(file, "mod").values
    file.write_text("B = 1\n")
    os.utime(file, ns=(1, 1))
    assert "B" in read_source(file, "mod").values


@pytest.mark.parametrize("content", [b"def (", b"\0", b"\xff\xfe"])
def test_what_is_not_python_is_a_syntax_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mod.py"
    file.write_bytes(content)
    with pytest.raises(SyntaxError):
        read_source(file, "mod")


def test_null_bytes_are_a_syntax_error_in_every_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_text: bytes, filename: str) -> ast.Module:
        raise ValueError(filename)

    (tmp_path / "mod.py").write_text("pass")
    monkeypatch.setattr(ast, "parse", parse)
    with pytest.raises(SyntaxError, match=r"mod\.py"):
        read_source(tmp_path / "mod.py", "mod")


def test_names_every_imported_module_and_its_line() -> None:
    tree = ast.parse("import a.b, c\ndef f():\n    from .d import e\n    from g import h\n")
    assert list(imported_modules(tree, "pack")) == [
        ("a.b", 1),
        ("c", 1),
        ("pack.d", 3),
        ("pack.d.e", 3),
        ("g", 4),
        ("g.h", 4),
    ]
