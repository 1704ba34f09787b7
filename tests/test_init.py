"""``import vesalia``: the public names, each imported when it is asked for, and nothing slow before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

import vesalia

HEAVY = ("torch", "numpy", "nibabel", "typer", "rich", "matplotlib", "scipy", "monai")


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh Python has loaded after ``code``."""
    script = f"{code}\nimport sys, json\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


def test_all_is_sorted_and_equals_the_table_of_homes() -> None:
    assert sorted(vesalia.__all__) == vesalia.__all__
    assert set(vesalia.__all__) == set(vesalia._HOMES)
    assert dir(vesalia) == sorted(vesalia.__all__)


@pytest.mark.parametrize("name", vesalia.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(vesalia, name)
    assert found is getattr(importlib.import_module(vesalia._HOMES[name]), name)
    assert found.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'vesalia' has no attribute 'train'"):
        _ = vesalia.train  # type: ignore[attr-defined,unused-ignore]


def test_the_version_has_three_parts() -> None:
    assert [part.isdigit() for part in vesalia.__version__.split(".")] == [True, True, True]


def test_importing_loads_nothing_slow() -> None:
    loaded = loaded_after("import vesalia")
    assert "vesalia" in loaded
    assert not loaded & set(HEAVY)


def test_errors_load_nothing_slow() -> None:
    assert not loaded_after("from vesalia import ConfigError, Fault") & set(HEAVY)


def test_the_archive_class_loads_no_torch() -> None:
    assert "torch" not in loaded_after("from vesalia import Archive")
