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

HEAVY = {
    "PIL",
    "lightning_fabric",
    "matplotlib",
    "monai",
    "nibabel",
    "numpy",
    "rich",
    "scipy",
    "tensorboard",
    "torch",
    "typer",
}
MODULES = [
    found.name
    for found in pkgutil.walk_packages(vesalia.__path__, "vesalia.")
    if not found.name.endswith("__main__")  # it runs the command line
]


def loaded_by(code: str) -> set[str]:
    """The heavy packages that a fresh Python has loaded after running ``code``."""
    report = f"import sys, json; print(json.dumps([n for n in {sorted(HEAVY)!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(found)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import vesalia") == set()


def test_the_test_sees_what_is_loaded() -> None:
    assert "nibabel" in loaded_by("import nibabel")


def test_errors_load_nothing_heavy() -> None:
    assert loaded_by("from vesalia import ConfigError, Fault") == set()


def test_the_archive_class_loads_no_torch() -> None:
    assert "torch" not in loaded_by("from vesalia import Archive")


def test_help_loads_no_more_than_the_command_line_needs() -> None:
    code = "from vesalia.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_by(code) <= {"typer", "rich"}


@pytest.mark.parametrize("folder", ["errors", "registry", "mmar"])
def test_reading_an_archive_needs_no_torch(folder: str) -> None:
    names = [name for name in MODULES if name.startswith(f"vesalia.{folder}")]
    assert names
    assert "torch" not in loaded_by("\n".join(f"import {name}" for name in names))


def test_the_public_names_are_sorted_and_those_that_have_a_home() -> None:
    assert vesalia.__all__ == sorted(vesalia.__all__)
    assert set(vesalia.__all__) == set(vesalia._HOMES)
    assert dir(vesalia) == vesalia.__all__


@pytest.mark.parametrize("name", vesalia.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(vesalia, name)
    assert found is getattr(importlib.import_module(vesalia._HOMES[name]), name)
    assert found.__doc__


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="'vesalia' has no attribute 'Archives'"):
        _ = vesalia.Archives


def test_the_version_has_three_parts() -> None:
    assert [part.isdigit() for part in vesalia.__version__.split(".")] == [True, True, True]


@pytest.mark.slow  # whichever comes first imports torch and MONAI
@pytest.mark.parametrize("name", MODULES)
def test_all_of_every_module_is_true(name: str) -> None:
    module = importlib.import_module(name)
    assert [public for public in getattr(module, "__all__", []) if not hasattr(module, public)] == []
