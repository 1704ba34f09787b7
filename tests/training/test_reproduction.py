"""Training again what a manifest records: the same weights to the bit, and words for what differs."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_archive import make_archive, make_data, read_config, write_config
from tests.training.fakes import Ears
from vesalia.api import Archive
from vesalia.mmar.recorded import read_recorded
from vesalia.mmar.validate import plan_training
from vesalia.training.fit import TrainOptions
from vesalia.training.reproduction import differences, note_differences

SETTINGS = ("epochs=2", "ema_decay=0.9", "num_batches_per_update=2", "max_gradient_norm=1.0", "stop_patience=5")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """The manifest of a training, put away from the run folder."""
    archive = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    Archive(archive).train(overrides=SETTINGS, seed=11, device="cpu")
    return Path(shutil.copy(archive / "models" / "manifest.json", tmp_path / "kept.json"))


def again(manifest: Path, archive: Path, *settings: str, **options: Any) -> tuple[list[str], dict[str, Any]]:
    """What was warned of, and the new manifest."""
    ears = Ears()
    result = Archive(archive).train(manifest=manifest, overrides=settings, listener=ears, **options)
    written = json.loads((result.run_folder / "manifest.json").read_text())
    return [said for said in ears.of("warned") if "not as in" in said], written


def same_weights(one: Path, two: Path) -> bool:
    """Equal to the bit."""
    first, second = load_file(one), load_file(two)
    return all(torch.equal(first[name], second[name]) for name in first) and first.keys() == second.keys()


def test_the_same_weights_to_the_bit_whatever_became_of_config_and_environment(trained: Path) -> None:
    archive = trained.parent / "archive"
    config = read_config(archive)
    config.update(learning_rate=1.0, epochs=1)
    write_config(archive, config)
    (archive / "config" / "environment.json").write_text("{}")
    warned, written = again(trained, archive, f"MMAR_CKPT_DIR={trained.parent / 'second'}")
    assert warned == []
    assert written["reproduces"] == {"manifest": str(trained), "differences": []}
    assert written["seed"] == 11
    for name in ("model", "model_final"):
        assert same_weights(
            archive / "models" / f"{name}.safetensors", trained.parent / "second" / f"{name}.safetensors"
        )


def test_an_archive_and_data_that_were_moved(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "archive", tmp_path / "elsewhere" / "archive")
    shutil.move(tmp_path / "data", tmp_path / "elsewhere" / "data")
    data = tmp_path / "elsewhere" / "data"
    moved = (f"DATA_ROOT={data}", f"DATASET_JSON={data / 'dataset.json'}")
    warned, _ = again(trained, tmp_path / "elsewhere" / "archive", *moved)
    assert warned == []
    assert same_weights(
        tmp_path / "archive" / "models" / "model_final.safetensors",
        tmp_path / "elsewhere" / "archive" / "models" / "model_final.safetensors",
    )


def test_an_image_that_changed_is_named(trained: Path) -> None:
    image = trained.parent / "data" / "imagesTr" / "case_1.nii.gz"
    volume: Any = nib.load(image)
    nib.save(nib.Nifti1Image(np.asarray(volume.dataobj) + 1, volume.affine), image)
    warned, written = again(trained, trained.parent / "archive")
    assert warned == [f"not as in {trained}: data of train: changed {image}"]
    assert written["reproduces"]["differences"] == [f"data of train: changed {image}"]


def recorded_with(manifest: Path, **changes: Any) -> list[str]:
    """The differences where the manifest had said something else."""
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, **changes}))
    archive = manifest.parent / "archive"
    recorded = read_recorded(manifest).placed(archive)
    return differences(recorded, plan_training(archive, recorded=recorded), seed=11, device="cpu")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"versions": {"torch": "1.0"}}, "version of torch: 1.0 then, "),
        ({"options": {"device": "cuda", "world": 2}}, "device: cuda then, cpu now"),
        ({"options": {"budget": True}}, "the run was laid over a time budget"),
        ({"resumed": [{"changes": {"epochs": {}}}]}, "the run was resumed with other settings"),
        ({"start": "abc"}, "start weights: sha256: abc then, None now"),
        ({"code": {"custom/mine.py": "1"}}, "code: gone custom/mine.py"),
        ({"machine": {"processor": "abacus"}}, "processor: abacus then, "),
        ({"data": {"train": {f"/gone/{n}.nii": "1" for n in range(7)}}}, "data of train: gone /gone/0.nii, "),
        ({"seed": 3}, "seed: 3 then, 11 now"),
    ],
)
def test_each_difference_has_a_line(trained: Path, changes: dict[str, Any], said: str) -> None:
    found = recorded_with(trained, **changes)
    assert [line for line in found if line.startswith(said)]
    assert len(found) == (2 if "world" in changes.get("options", {}) else 1)


def test_many_files_are_counted(trained: Path) -> None:
    (line,) = recorded_with(trained, data={"train": {f"/gone/{n}.nii": "1" for n in range(7)}})
    assert line.endswith("/gone/4.nii and 2 more")


def test_new_code_and_other_settings_are_told(trained: Path) -> None:
    archive = trained.parent / "archive"
    (archive / "custom").mkdir()
    (archive / "custom" / "mine.py").write_text("x = 1\n")
    recorded = read_recorded(trained).placed(archive)
    plan = plan_training(archive, overrides=["epochs=3", "MMAR_CKPT_DIR=/elsewhere"], recorded=recorded)
    assert differences(recorded, plan, seed=11, device="cpu") == [
        "config.epochs: 2 then, 3 now",
        "variables.epochs: 2 then, 3 now",
        "code: new custom/mine.py",
    ]


def test_a_manifest_of_an_earlier_version_says_less(trained: Path) -> None:
    content = json.loads(trained.read_text())
    for name in ("options", "start", "code", "data", "versions", "machine"):
        del content[name]
    trained.write_text(json.dumps(content))
    assert recorded_with(trained) == []


def test_without_a_record_nothing_is_noted(trained: Path) -> None:
    options = TrainOptions(seed=1)
    plan = plan_training(trained.parent / "archive")
    assert note_differences(None, plan, options=options, world=1, listener=None) is options


def test_without_a_listener_the_manifest_tells(trained: Path) -> None:
    archive = trained.parent / "archive"
    recorded = read_recorded(trained).placed(archive)
    plan = plan_training(archive, recorded=recorded)
    asked = TrainOptions(seed=12, device="cpu")
    options = note_differences(recorded, plan, options=asked, world=1, listener=None)
    assert options.recorded["reproduces"]["differences"] == ["seed: 11 then, 12 now"]
