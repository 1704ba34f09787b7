"""The distribution without torch: it asks for what the whole one asks for, and for no part of torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
WHOLE, INFER = ROOT / "pyproject.toml", ROOT / "packages" / "infer" / "pyproject.toml"
ASKED = re.compile(r'"([a-z-]+>=[0-9.]+)"')


def between(path: Path, start: str, end: str) -> str:
    return path.read_text(encoding="utf-8").partition(start)[2].partition(end)[0]


def asked(path: Path) -> set[str]:
    return set(ASKED.findall(between(path, "\ndependencies = [", "\n]")))


def test_the_same_lower_bounds() -> None:
    extra = set(ASKED.findall(between(WHOLE, "\nonnx = [", "]")))
    assert asked(INFER) - asked(WHOLE) == {bound for bound in extra if bound.startswith("onnxruntime")}


def test_no_torch_and_nothing_that_brings_it() -> None:
    names = {bound.partition(">")[0] for bound in asked(INFER)}
    assert not names & {"torch", "monai", "lightning-fabric", "safetensors", "tensorboard"}


def brought_by(names: set[str]) -> set[str]:
    """These distributions and all that they ask for, as they are installed here."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        with contextlib.suppress(PackageNotFoundError):  # onnxruntime is in an extra
            asked_for = [Requirement(line) for line in requires(name) or []]
            needed = (one for one in asked_for if one.marker is None or one.marker.evaluate({"extra": ""}))
            waiting |= {canonicalize_name(one.name) for one in needed} - found
    return found


def test_nothing_that_it_asks_for_brings_torch() -> None:
    names = brought_by({bound.partition(">")[0] for bound in asked(INFER)})
    print("\n".join(sorted(names)))  # noqa: T201 - seen where the test fails
    assert {"numpy", "pygments"} <= names  # what others ask for is among them
    assert not [name for name in names if name.startswith(("torch", "monai", "lightning", "nvidia", "triton"))]
    assert "torch" in brought_by({"monai"})


def test_the_same_command_and_version() -> None:
    text = INFER.read_text(encoding="utf-8")
    assert 'vesalia = "vesalia.cli.main:main"' in text
    assert (INFER.parent / between(INFER, 'path = "', '"')).resolve() == ROOT / "src" / "vesalia" / "__init__.py"
