"""What ``import vesalia`` and the command line load, and that the public face is what it says.

No times here: those are measured in benchmarks/. What is *not* loaded is what makes the times.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import vesalia

HEAVY = ["torch", "monai", "lightning_fabric", "scipy", "matplotlib", "nibabel", "tensorboard", "PIL"]


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a fresh Python has loaded after running ``code``."""
    report = f"import sys, json; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(found)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import vesalia") == set()


def test_the_test_sees_what_is_loaded() -> None:
    assert "nibabel" in loaded_by("import nibabel")


def test_help_loads_nothing_heavy() -> None:
    code = "from vesalia.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_by(code) == set()


@pytest.mark.parametrize("folder", ["errors", "registry", "mmar"])
def test_reading_an_archive_needs_no_torch(folder: str) -> None:
    package = importlib.import_module(f"vesalia.{folder}")
    names = [package.__name__]
    if hasattr(package, "__path__"):
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    assert "torch" not in loaded_by("\n".join(f"import {name}" for name in names))


def test_every_public_name_is_there() -> None:
    assert [name for name in vesalia.__all__ if getattr(vesalia, name, None) is None] == []


def test_the_public_names_are_sorted_and_single() -> None:
    assert vesalia.__all__ == sorted(set(vesalia.__all__))


def test_dir_shows_the_public_names() -> None:
    assert set(vesalia.__all__) <= set(dir(vesalia))


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Archives'"):
        _ = vesalia.Archives


def test_every_module_imports() -> None:
    names = [found.name for found in pkgutil.walk_packages(vesalia.__path__, "vesalia.")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)


def test_all_of_every_module_is_true() -> None:
    wrong = []
    for found in pkgutil.walk_packages(vesalia.__path__, "vesalia."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        wrong += [f"{found.name}.{name}" for name in getattr(module, "__all__", []) if not hasattr(module, name)]
    assert wrong == []
