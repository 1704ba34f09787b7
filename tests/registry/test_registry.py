"""Names lead to classes: what ships, what plug-ins add, what an archive brings."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vesalia.registry import registry
from vesalia.registry.registry import base_of, find, find_path, load, slots_of, suggest
from vesalia.registry.target import Target

HERE = Target("json.decoder", "JSONDecoder", "plugin", Path("decoder.py"))


def test_the_base_of_a_slot() -> None:
    assert base_of("loss").path == "vesalia.components.losses.base.Loss"
    assert base_of("batch_transform") == base_of("transform")
    assert base_of("model").file.is_file()


def test_finds_what_ships_by_name_and_by_path() -> None:
    target = find("loss", "Dice")
    assert target is not None
    assert (target.path, target.origin) == ("vesalia.components.losses.dice.Dice", "builtin")
    assert target.file.is_file()
    assert find_path("loss", target.path) == target
    assert find_path("model", target.path) is None


def test_asks_plugins_for_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_plugin", lambda slot, name: HERE if (slot, name) == ("loss", "Mine") else None)
    assert find("loss", "Mine") == HERE
    assert find("loss", "Yours") is None


@pytest.mark.parametrize(
    ("slot", "name", "near"),
    [
        ("loss", "dice", "Dice"),
        ("loss", "DiceLoss", "Dice"),
        ("transform", "LoadNifty", "LoadNifti"),
        ("model", "Transformer9", None),
    ],
)
def test_suggests_the_nearest_name(slot: str, name: str, near: str | None) -> None:
    assert suggest(slot, name) == near


def test_suggests_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "plugin_names", lambda _: ("Tversky",))
    assert suggest("loss", "tverski") == "Tversky"


def test_knows_the_slots_of_a_name() -> None:
    assert slots_of("Dice") == ("loss",)
    assert slots_of("LoadNifti") == ("transform", "batch_transform")
    assert slots_of("Nothing") == ()


def test_loads_installed_classes() -> None:
    assert load(HERE).__name__ == "JSONDecoder"


@pytest.mark.parametrize("name", ["Nothing", "scanner"])
def test_what_is_no_class_is_not_loaded(name: str) -> None:
    with pytest.raises(TypeError, match="is not a class"):
        load(Target("json.decoder", name, "plugin", Path("decoder.py")))


def test_loads_classes_of_an_archive(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine: pass\n")
    assert load(Target("mine", "Mine", "custom", tmp_path / "mine.py"), tmp_path).__name__ == "Mine"


def test_reading_names_loads_no_torch() -> None:
    code = (
        "import sys; import vesalia.registry.registry as r, vesalia.registry.signature as s\n"
        "s.read_signature(r.find('model', 'Unet')); assert r.suggest('loss', 'Dise')\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
