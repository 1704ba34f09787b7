"""An archive's config around an exported network: the config as it is now, the weights as they are now."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.deploy.runner.conftest import described, write_network
from tests.inference.tiny import make_archive, make_data, save_unet
from vesalia.deploy.runner.archive import items_for, plan_for
from vesalia.deploy.runner.inferers import TFScanWindowInferer
from vesalia.errors import CheckpointError
from vesalia.inference.card import read_card
from vesalia.mmar.validate import plan_evaluation


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive whose network was exported."""
    folder = make_archive(tmp_path / "archive", tmp_path / "dataset.json")
    save_unet(folder, folder / "models" / "model")
    data = described(write_network(folder / "models" / "model.onnx"))
    data["network"]["weights_sha256"] = read_card(folder / "models" / "model")["sha256"]
    (folder / "models" / "model.plan.json").write_text(json.dumps(data))
    return folder


def test_steps_are_those_of_the_config(archive: Path) -> None:
    plan = plan_evaluation(archive, listed=False)
    found = plan_for(plan)
    assert found.network == archive / "models" / "model.onnx"
    assert isinstance(found.inferer, TFScanWindowInferer)
    assert list(found.inferer.roi_size) == list(plan.inferer.argument("roi_size"))
    assert len(found.pre) == len(plan.pre_transforms)


def test_weights_that_were_trained_since_are_noticed(archive: Path) -> None:
    save_unet(archive, archive / "models" / "model", seed=1)
    with pytest.raises(CheckpointError, match=r"exported from other weights than model.safetensors.*--to onnx"):
        plan_for(plan_evaluation(archive, listed=False))


def test_weights_need_not_be_there(archive: Path) -> None:
    for ending in ("json", "safetensors"):
        (archive / "models" / f"model.{ending}").unlink()
    assert plan_for(plan_evaluation(archive, listed=False)).in_channels == 1


def test_without_an_export_it_says_what_to_run(archive: Path) -> None:
    (archive / "models" / "model.plan.json").unlink()
    with pytest.raises(CheckpointError, match=r"found no exported network, .*; write vesalia export .* --to onnx"):
        plan_for(plan_evaluation(archive, listed=False))


def test_subjects_are_those_given_or_listed(archive: Path, tmp_path: Path) -> None:
    listed = make_data(tmp_path / "listed", cases=2)
    settings = [f"DATASET_JSON={listed}", f"DATA_ROOT={listed.parent}"]
    plan = plan_evaluation(archive, overrides=settings)
    assert [item.name for item in items_for(plan, [])] == ["case_0", "case_1"]
    image = listed.parent / "image" / "case_1.nii.gz"
    assert [item.name for item in items_for(plan, [image])] == ["case_1"]
