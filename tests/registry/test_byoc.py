"""Code that an archive brings along: found only in its folder, read without running, imported without traces."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from vesalia.registry.byoc import custom_code, import_custom
from vesalia.registry.kinds import Mismatch
from vesalia.registry.target import Target


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def target(custom: Path, dotted: str) -> Target:
    found = custom_code(dotted, custom)
    assert isinstance(found, Target)
    return found


def test_finds_a_class_by_its_dotted_path(tmp_path: Path) -> None:
    custom = write(tmp_path, {"mine.py": "", "pack/__init__.py": "", "pack/deep.py": ""})
    assert target(custom, "mine.Mine") == Target("mine", "Mine", "custom", custom / "mine.py")
    assert target(custom, "pack.deep.C").file == custom / "pack" / "deep.py"


@pytest.mark.parametrize("dotted", ["Mine", "..secret.Mine", "a/b.C", "mine.", "os;x.y", ""])
def test_what_is_no_dotted_path_is_refused(tmp_path: Path, dotted: str) -> None:
    found = custom_code(dotted, tmp_path)
    assert isinstance(found, Mismatch)
    assert "module.Class" in found.expected


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"outside.py": "class Evil: pass\n"})
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "mine.py").symlink_to(tmp_path / "outside.py")
    found = custom_code("mine.Evil", tmp_path / "custom")
    assert isinstance(found, Mismatch)
    assert "inside" in found.expected


def test_a_wrong_module_leads_to_the_one_that_has_the_class(tmp_path: Path) -> None:
    custom = write(
        tmp_path / "custom",
        {"a_torn.py": "def (", "b.py": "", "pack/__init__.py": "class Mine: pass\n", "z.py": "class Far: pass\n"},
    )
    found = custom_code("typo.Mine", custom)
    assert isinstance(found, Mismatch)
    assert found.expected == "a file custom/typo.py with the class Mine"
    assert found.write == '"pack.Mine"'
    assert isinstance(lost := custom_code("typo.Lost", custom), Mismatch)
    assert "the name of a component that ships" in lost.write


def test_a_class_that_lies_elsewhere_in_the_archive_is_found_and_where_it_belongs_is_said(tmp_path: Path) -> None:
    code = {
        "BYOC/deep/mine.py": "class Mine: pass\n",
        "models/far.py": "class Far: pass\n",
        ".git/a.py": "class Far: x\n",
    }
    archive = write(tmp_path / "archive", {**code, "top.py": "class Top: pass\n"})
    found = custom_code("mine.Mine", archive / "custom")
    assert isinstance(found, Mismatch)
    assert found.expected == "a file custom/mine.py with the class Mine"
    assert found.write == '"mine.Mine", and copy BYOC/deep/mine.py and what it imports into custom/'
    assert isinstance(top := custom_code("byoc.top.Top", archive / "custom"), Mismatch)
    assert top.write == '"top.Top", and copy top.py and what it imports into custom/'
    assert isinstance(far := custom_code("far.Far", archive / "custom"), Mismatch)
    assert far.write == "the file there, or the name of a component that ships"


def test_a_class_beside_the_archive_is_found_too(tmp_path: Path) -> None:
    write(tmp_path, {"BYOC/mine.py": "class Mine: pass\n", "archive/config/config_train.json": "{}\n"})
    found = custom_code("mine.Mine", tmp_path / "archive" / "custom")
    assert isinstance(found, Mismatch)
    assert found.write == '"mine.Mine", and copy BYOC/mine.py (beside the archive) and what it imports into custom/'


def test_an_archive_that_is_not_there_holds_no_class(tmp_path: Path) -> None:
    found = custom_code("mine.Mine", tmp_path / "nowhere" / "custom")
    assert isinstance(found, Mismatch)
    assert found.write == "the file there, or the name of a component that ships"


def test_import_leaves_no_traces(tmp_path: Path) -> None:
    custom = write(
        tmp_path,
        {
            "mine.py": "import vesalia_near\nfrom space.inner import X\nclass Mine(vesalia_near.Base): pass\n",
            "vesalia_near.py": "class Base: pass\n",
            "space/inner.py": "X = 1\n",
        },
    )
    before = (list(sys.path), set(sys.modules), sys.dont_write_bytecode)
    found = import_custom(target(custom, "mine.Mine"), custom)
    assert found.__mro__[1].__name__ == "Base"
    assert (list(sys.path), set(sys.modules), sys.dont_write_bytecode) == before
    assert not list(custom.rglob("__pycache__"))


def test_two_archives_may_use_one_name_and_hide_nothing(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"colorsys.py": "class C:\n    value = 1\n"})
    two = write(tmp_path / "two", {"colorsys.py": "class C:\n    value = 2\n"})
    import colorsys

    values = [import_custom(target(folder, "colorsys.C"), folder).value for folder in (one, two)]  # type: ignore[attr-defined]
    assert values == [1, 2]
    assert sys.modules["colorsys"] is colorsys


def test_classes_of_one_archive_share_their_modules_until_a_file_changes(tmp_path: Path) -> None:
    custom = write(tmp_path, {"a.py": "from c import Base\nclass A(Base): pass\n", "c.py": "class Base: pass\n"})
    first = import_custom(target(custom, "a.A"), custom)
    assert import_custom(target(custom, "c.Base"), custom) is first.__mro__[1]
    write(custom, {"c.py": "class Base:\n    new = True\n"})
    os.utime(custom / "c.py", ns=(1, 1))
    assert hasattr(import_custom(target(custom, "a.A"), custom), "new")


def test_modules_that_answer_for_any_name_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Obliging(type(sys)):  # type: ignore[misc]
        @property
        def __dict__(self) -> dict[str, object]:  # type: ignore[override]
            raise AssertionError

        def __getattr__(self, name: str) -> str:
            return str(tmp_path)

    monkeypatch.setitem(sys.modules, "vesalia_test_obliging", Obliging("vesalia_test_obliging"))
    custom = write(tmp_path, {"mine.py": "class Mine: pass\n"})
    assert import_custom(target(custom, "mine.Mine"), custom).__name__ == "Mine"
    assert "vesalia_test_obliging" in sys.modules


def test_a_failing_import_leaves_no_traces_either(tmp_path: Path) -> None:
    custom = write(tmp_path, {"mine.py": "raise RuntimeError('boom')\n", "noclass.py": "C = 3\n"})
    before = (list(sys.path), set(sys.modules))
    with pytest.raises(RuntimeError, match="boom"):
        import_custom(target(custom, "mine.C"), custom)
    with pytest.raises(TypeError, match="is not a class"):
        import_custom(target(custom, "noclass.C"), custom)
    assert (list(sys.path), set(sys.modules)) == before
