"""The distribution without torch: it asks for what the whole one asks for, and for no part of torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

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


def test_the_same_command_and_version() -> None:
    text = INFER.read_text(encoding="utf-8")
    assert 'vesalia = "vesalia.cli.main:main"' in text
    assert (INFER.parent / between(INFER, 'path = "', '"')).resolve() == ROOT / "src" / "vesalia" / "__init__.py"
