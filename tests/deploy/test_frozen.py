"""v3's names: two files of the same bytes, and Triton's configuration for the one that old scripts move."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from tests.deploy.conftest import Make
from vesalia.deploy.frozen import Frozen, FrozenTriton
from vesalia.inference.checkpoint_names import exported_files, tensorflow_files


def test_both_names_hold_the_program(make: Make) -> None:
    deployment = make()
    paths = Frozen().write(deployment)
    assert [path.name for path in paths] == ["model.fzn.pb", "model.trt.pb"]
    assert {path.read_bytes() for path in paths} == {deployment.program.content}


def test_nobody_takes_them_for_tensorflows(make: Make) -> None:
    deployment = make()
    Frozen().write(deployment)
    assert len(exported_files(deployment.folder / "model")) == 2
    assert tensorflow_files(deployment.folder / "model") == ()


def test_tritons_configuration_lies_beside_them(make: Make) -> None:
    *_, config = FrozenTriton().write(make())
    assert config.name == "config.pbtxt"
    assert 'default_model_filename: "model.trt.pb"' in config.read_text()
