"""Plans: read when they are sound, refused with every fault when not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vesalia.deploy.runner.labels import ArgmaxAcrossChannels
from vesalia.deploy.runner.plan import find_plan, read_plan
from vesalia.deploy.runner.writers import WriteNifti
from vesalia.errors import ConfigError

Change = Callable[[dict[str, Any]], object]


def test_a_plan_is_read(plan: Path, network: Path) -> None:
    found = read_plan(plan)
    assert (found.network, found.in_channels, found.size_divisor, found.free_batch) == (network, 1, 4, True)
    assert found.post[0] == ArgmaxAcrossChannels("model")
    assert found.writers == (WriteNifti("model", dtype="uint8"),)
    assert found.class_names == ("background", "head", "tail")


def test_a_plan_is_found_in_its_folder(plan: Path) -> None:
    assert find_plan(plan) == plan
    assert find_plan(plan.parent) == plan
    assert find_plan(plan.parent / "nothing") is None
    plan.with_name("other.plan.json").write_text("{}")
    assert find_plan(plan.parent) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(format="card"), "format: found no plan"),
        (lambda data: data.update(format_version=2), "format_version: found 2, expected at most 1"),
        (lambda data: data.update(format_version="1"), "format_version: found '1'"),
        (lambda data: data.pop("network"), "network: found a value of type NoneType, expected dict"),
        (lambda data: data["network"].pop("sha256"), r"network.sha256: found a value of type NoneType, expected str"),
        (lambda data: data["network"].update(in_channels=True), "network.in_channels: found a value of type bool"),
        (lambda data: data["network"].update(file="../model.onnx"), "network.file: found '../model.onnx'"),
        (lambda data: data["pre_transforms"].append("x"), r"pre_transforms\[2\]: found no component"),
        (lambda data: data["writers"].append({"name": "WriteNifti"}), r"writers\[1\]: found no component"),
        (lambda data: data["inferer"].update(name=7), "inferer: found no component"),
        (lambda data: data["inferer"].update(name="os.system"), "inferer: found os.system, expected one of TFScan"),
        (
            lambda data: data["post_transforms"][0].update(name="SaveAsNifti"),
            r"post_transforms\[0\]: found SaveAsNifti",
        ),
        (
            lambda data: data["writers"][0]["args"].update(write_path="/etc"),
            r"writers\[0\].args.write_path: found a fold",
        ),
    ],
)
def test_what_is_wrong_is_named(plan: Path, change: Change, said: str) -> None:
    data = json.loads(plan.read_text())
    change(data)
    plan.write_text(json.dumps(data))
    with pytest.raises(ConfigError, match=said):
        read_plan(plan)


def test_a_list_is_no_plan(plan: Path) -> None:
    plan.write_text("[]")
    with pytest.raises(ConfigError, match="found no plan"):
        read_plan(plan)
