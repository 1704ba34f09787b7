"""Checkpoint names: v3's and ours come to one prefix."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.inference.checkpoint_names import (
    card_file,
    checkpoint_prefix,
    exported_files,
    tensorflow_files,
    weights_file,
)


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "model.ckpt",
        "model.ckpt.index",
        "model.ckpt.meta",
        "model.ckpt.data-00000-of-00001",
        "model.fzn.pb",
        "model.trt.pb",
        "model.pt",
        "model.ts",
        "model.safetensors",
        "model.json",
    ],
)
def test_every_name_of_a_checkpoint_is_one_prefix(name: str) -> None:
    assert checkpoint_prefix(Path("models") / name) == Path("models/model")


def test_unknown_suffixes_belong_to_the_name() -> None:
    assert checkpoint_prefix("models/fold.1") == Path("models/fold.1")
    assert weights_file(Path("models/fold.1")) == Path("models/fold.1.safetensors")
    assert card_file(Path("models/fold.1")) == Path("models/fold.1.json")


def test_a_folder_stands_for_its_best_model(tmp_path: Path) -> None:
    assert checkpoint_prefix(tmp_path) == tmp_path / "model"


def test_a_folder_beside_a_model_of_its_name_is_that_model(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run.safetensors").touch()
    assert checkpoint_prefix(tmp_path / "run") == tmp_path / "run"


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1), st.sampled_from(["", ".ckpt", ".trt.pb"])
)
def test_taking_the_prefix_twice_changes_nothing(stem: str, suffix: str) -> None:
    prefix = checkpoint_prefix(f"/nowhere/{stem}{suffix}")
    assert prefix == Path("/nowhere") / stem
    assert checkpoint_prefix(prefix) == prefix


def test_tensorflow_files_are_found_and_others_are_not(tmp_path: Path) -> None:
    for name in ("model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.fzn.pb", "model_final.ckpt.index"):
        (tmp_path / name).touch()
    found = {path.name for path in tensorflow_files(tmp_path / "model")}
    assert found == {"model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.fzn.pb"}
    assert tensorflow_files(tmp_path / "absent" / "model") == ()


def test_programs_of_ours_are_told_from_graphs_of_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "model.fzn.pb").write_bytes(b"PK\x03\x04program")
    (tmp_path / "model.trt.pb").write_bytes(b"\n\x1d\n\x05graph")
    (tmp_path / "other.pb").touch()
    assert exported_files(tmp_path / "model") == (tmp_path / "model.fzn.pb",)
    assert tensorflow_files(tmp_path / "model") == (tmp_path / "model.trt.pb",)
    assert tensorflow_files(tmp_path / "other") == (tmp_path / "other.pb",)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "model.pb").write_bytes(b"PK")
    (tmp_path / "model.pb").chmod(0)
    assert exported_files(tmp_path / "model") == ()


def test_a_name_with_brackets_is_taken_literally(tmp_path: Path) -> None:
    (tmp_path / "a[1].ckpt.data-00000-of-00001").touch()
    (tmp_path / "a1.ckpt.data-00000-of-00001").touch()
    assert [path.name for path in tensorflow_files(tmp_path / "a[1]")] == ["a[1].ckpt.data-00000-of-00001"]
