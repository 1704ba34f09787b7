"""A Triton folder: the program where the server looks, and a configuration that describes it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import torch

from tests.deploy.conftest import Make
from tests.deploy.torchscript_file import outputs
from vesalia.deploy.triton import Triton, triton_config


def value(text: str, key: str) -> list[str]:
    return re.findall(rf"\b{key}: (.+)", text)


def test_the_folder(make: Make, tmp_path: Path) -> None:
    config, program = Triton().write(make(serving_name='ct "spleen"'))
    assert config == tmp_path / "out" / "triton" / 'ct "spleen"' / "config.pbtxt"
    assert program == config.parent / "1" / "model.pt"
    assert outputs(program, torch.randn(2, 1, 8, 8, 8)).shape == (2, 3, 8, 8, 8)
    assert value(config.read_text(), "name")[0] == '"ct \\"spleen\\""'


def test_the_configuration_of_a_program_of_any_size(make: Make) -> None:
    text = triton_config(make(), file="model.pt")
    assert value(text, "platform") == ['"pytorch_libtorch"']
    assert value(text, "max_batch_size") == ["4"]
    assert value(text, "name")[1:] == ['"INPUT__0"', '"OUTPUT__0"']
    assert value(text, "data_type") == ["TYPE_FP32", "TYPE_FP32"]
    assert value(text, "dims") == ["[1, -1, -1, -1]", "[3, -1, -1, -1]"]
    assert value(text, "kind") == ["KIND_AUTO"]
    assert text.count("[") == text.count("]")
    assert text.count("{") == text.count("}")


def test_sizes_that_were_asked_for_are_told(make: Make) -> None:
    text = triton_config(make(any_size=False), file="model.pt")
    assert value(text, "dims") == ["[1, 8, 8, 8]", "[3, 8, 8, 8]"]
    assert value(text, "max_batch_size") == ["4"]


def test_the_configuration_of_a_program_of_one_size(make: Make) -> None:
    made = make()
    fixed = replace(made, program=replace(made.program, free_sizes=False, free_batch=False))
    text = triton_config(fixed, file="model.pt")
    assert value(text, "dims") == ["[1, 8, 8, 8]", "[3, 8, 8, 8]"]
    assert value(text, "max_batch_size") == ["1"]
