"""What describes code: it changes with the code, with what that imports, and with the versions of what is installed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from vesalia.pipelines import described_code as module
from vesalia.pipelines.described_code import CodeReader, Undescribed

Load = Callable[[Path, str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Imports a module from a folder, and forgets what was imported."""
    before = set(sys.modules)

    def importing(folder: Path, name: str) -> ModuleType:
        if str(folder) not in sys.path:
            monkeypatch.syspath_prepend(str(folder))
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield importing
    for name in set(sys.modules) - before:
        if "of_test" in name:
            del sys.modules[name]


def words(thing: ModuleType) -> str:
    return CodeReader().of_module(thing)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def install(site: Path, name: str, version: str, *, requires: str = "") -> None:
    """What an installer leaves of a distribution, but for its code."""
    for old in site.glob(f"{name}-*.dist-info"):
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
    (info / "top_level.txt").write_text(name)


def test_all_code_beside_a_module_counts_and_nothing_else(tmp_path: Path, load: Load) -> None:
    mine = load(write(tmp_path, mine_of_test="x = 1"), "mine_of_test")
    first = words(mine)
    (tmp_path / "notes.txt").write_text("a")
    write(tmp_path / ".git", hook="y = 1")
    write(tmp_path / "env", tool="y = 1")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert words(mine) == first
    write(tmp_path / "below", beside="y = 1")
    second = words(mine)
    assert second != first
    write(tmp_path / "below", beside="y = 2")
    assert words(mine) not in {first, second}


def test_of_a_part_of_a_package_the_whole_counts(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "whole_of_test", __init__="", other="x = 1")
    write(tmp_path / "whole_of_test" / "sub", __init__="", steps="")
    steps = load(tmp_path, "whole_of_test.sub.steps")
    first = words(steps)
    write(tmp_path / "whole_of_test", other="x = 2")
    assert words(steps) != first


def test_a_new_version_of_a_plug_in_counts_though_its_code_is_the_same(tmp_path: Path, load: Load) -> None:
    site = tmp_path / "site-packages"
    write(site / "plug_of_test", __init__="")
    install(site, "plug_of_test", "1.0")
    plug = load(site, "plug_of_test")
    first = words(plug)
    assert "plug-of-test 1.0" in first
    install(site, "plug_of_test", "1.1")
    assert words(plug) != first


def test_other_code_of_the_same_version_of_a_plug_in_counts(tmp_path: Path, load: Load) -> None:
    site = tmp_path / "site-packages"
    write(site / "plug_of_test", __init__="")
    install(site, "plug_of_test", "1.0")
    plug = load(site, "plug_of_test")
    first = words(plug)
    write(site / "plug_of_test", __init__="x = 1")
    assert words(plug) != first


@pytest.mark.parametrize(
    "text",
    [
        "import one_of_test",
        "import os, one_of_test.part as a",
        "def f():\n    from one_of_test.part import a",
        "import_module('one_of_test')",
    ],
)
def test_versions_of_what_custom_code_imports_count_and_what_these_need(tmp_path: Path, load: Load, text: str) -> None:
    site = tmp_path / "site-packages"
    install(site, "one_of_test", "1.0", requires="two_of_test>=1")
    install(site, "two_of_test", "1.0", requires="three_of_test; extra == 'more'")
    install(site, "three_of_test", "1.0")
    load_from = write(tmp_path / "custom", mine_of_test="")
    sys.path.insert(0, str(site))
    mine = load(load_from, "mine_of_test")
    try:
        assert "of-test" not in words(mine)
        write(tmp_path / "custom", mine_of_test=text)
        found = words(mine)
    finally:
        sys.path.remove(str(site))
    assert "one-of-test 1.0" in found
    assert "two-of-test 1.0" in found
    assert "three" not in found


def test_a_package_that_is_worked_on_counts_where_custom_code_imports_it(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "library" / "lib_of_test", __init__="import mine_of_test")
    write(tmp_path / "custom", mine_of_test="import lib_of_test")
    sys.path.insert(0, str(tmp_path / "library"))
    try:
        mine = load(tmp_path / "custom", "mine_of_test")
    finally:
        sys.path.remove(str(tmp_path / "library"))
    first = words(mine)
    write(tmp_path / "library" / "lib_of_test", __init__="x = 1")
    assert words(mine) != first


def test_too_much_code_has_no_words_and_is_not_walked(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = load(write(tmp_path, mine_of_test=""), "mine_of_test")
    for number in range(4):
        (tmp_path / "home" / str(number)).mkdir(parents=True)
    monkeypatch.setattr(module, "_FILES_SEEN", 4)
    walked: list[str] = []
    walk = os.walk

    def seen(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
        for place, folders, files in walk(top):
            walked.append(str(place))
            yield str(place), folders, files

    monkeypatch.setattr(os, "walk", seen)
    with pytest.raises(Undescribed, match="more files"):
        words(mine)
    assert len(walked) == 2


def test_of_much_installed_code_the_version_counts(tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    plug = load(write(site, plug_of_test=""), "plug_of_test")
    monkeypatch.setattr(module, "_MODULES_READ", 0)
    write(site / "large_of_test", __init__="")
    large = load(site, "large_of_test")
    with pytest.raises(Undescribed, match="large_of_test"):
        words(large)
    install(site, "large_of_test", "3.0")
    assert "large-of-test 3.0" in words(large)
    assert words(plug) == words(plug)


def test_what_could_not_be_read_once_has_no_words_later_either(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed plug-in, which its version describes, imports packages that are worked on, one of them too large."""
    site = tmp_path / "site-packages"
    install(site, "plug_of_test", "1.0")
    write(site / "plug_of_test", __init__="import large_of_test")
    write(tmp_path / "near" / "near_of_test", __init__="")
    write(tmp_path / "far" / "large_of_test", __init__="import near_of_test, torn_of_test")
    write(tmp_path / "far" / "torn_of_test", __init__="")
    for folder in (tmp_path / "far", tmp_path / "near"):
        monkeypatch.syspath_prepend(str(folder))
    plug = load(site, "plug_of_test")
    write(tmp_path / "near" / "near_of_test", __init__="import large_of_test")
    (tmp_path / "far" / "torn_of_test" / "torn.py").symlink_to(tmp_path / "none.py")
    code = CodeReader()
    assert code.of_module(plug) == "too much to read ['plug-of-test 1.0']"
    for name in ("large_of_test", "near_of_test"):
        with pytest.raises(Undescribed, match=r"torn\.py"):
            code.of_module(sys.modules[name])


def test_what_has_no_file_or_cannot_be_read_has_no_words(tmp_path: Path, load: Load) -> None:
    with pytest.raises(Undescribed, match="sys"):
        words(sys)
    mine = load(write(tmp_path, mine_of_test=""), "mine_of_test")
    (tmp_path / "torn.py").symlink_to(tmp_path / "none.py")
    with pytest.raises(Undescribed, match=r"torn\.py"):
        words(mine)


def test_python_s_own_code_has_python_s_version() -> None:
    assert words(importlib) == "of Python"


def test_what_is_required_and_not_installed_does_no_harm(tmp_path: Path, load: Load) -> None:
    site = tmp_path / "site-packages"
    plug = load(write(site / "plug_of_test", __init__="").parent, "plug_of_test")
    install(site, "plug_of_test", "1.0", requires="nowhere_of_test")
    assert "nowhere" not in words(plug)


def test_what_installed_a_package_is_what_python_says() -> None:
    ours, pythons = module._installed(), metadata.packages_distributions()
    for package in ("numpy", "torch", "nibabel", "yaml", "PIL", "typing_extensions", "six"):
        assert sorted(set(ours.get(package, ()))) == sorted(set(pythons.get(package, ())))
