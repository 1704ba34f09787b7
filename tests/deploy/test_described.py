"""Evaluation configs as data: every step with its defaults, and a refusal by name of what needs torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import read_config, write_config
from vesalia.deploy.described import described
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_evaluation

CONFIG = "config_validation.json"


def change(archive: Path, **parts: Any) -> None:
    write_config(archive, {**read_config(archive, CONFIG), **parts}, CONFIG)


def test_defaults_are_written_out(archive: Path) -> None:
    change(archive, writers=[{"name": "WriteNifti", "args": {"field": "model", "write_path": "results"}}])
    plan = plan_evaluation(archive, listed=False)
    data = described(plan, for_other_machines=True)
    assert json.loads(json.dumps(data)) == data
    assert data["pre_transforms"][0]["name"] == "LoadNifti"
    assert data["pre_transforms"][0]["args"]["as_closest_canonical"] is False
    assert data["writers"] == [
        {"name": "WriteNifti", "args": {"field": "model", "dtype": "float32", "write_path": None}}
    ]
    here = described(plan, for_other_machines=False)
    assert here["writers"][0]["args"]["write_path"].endswith("results")


def test_everything_that_needs_torch_is_named_at_once(archive: Path) -> None:
    steps = [*read_config(archive, CONFIG)["pre_transforms"], {"name": "AdjustContrast", "args": {"fields": "image"}}]
    writers = [{"name": "WritePng", "args": {"field": "model"}}]
    change(archive, pre_transforms=steps, writers=writers)
    with pytest.raises(ConfigError, match="--to onnx-network writes the network alone") as caught:
        described(plan_evaluation(archive, listed=False), for_other_machines=True)
    assert [fault.found for fault in caught.value.faults] == ["AdjustContrast", "WritePng"]
    assert caught.value.faults[0].key == f"pre_transforms[{len(steps) - 1}]"


def test_code_of_the_archive_is_refused_whatever_its_name(archive: Path) -> None:
    (archive / "custom").mkdir()
    code = (
        "from vesalia.transforms.post.keep_largest_cc import KeepLargestCC as Base\nclass KeepLargestCC(Base): pass\n"
    )
    (archive / "custom" / "mine.py").write_text(code)
    change(archive, post_transforms=[{"path": "mine.KeepLargestCC", "args": {"fields": "model"}}])
    with pytest.raises(ConfigError, match="found KeepLargestCC, code of its own"):
        described(plan_evaluation(archive, listed=False, allow_custom_code=True), for_other_machines=True)
