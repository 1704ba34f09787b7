"""Fine-tuning: what fits is loaded, what does not is told, another network's weights are refused."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.inference.tiny import CLASSES, unet_plan
from vesalia.errors import CheckpointError
from vesalia.inference.card import model_card
from vesalia.inference.matching import load_matching
from vesalia.inference.weights import save_weights
from vesalia.mmar.build import build


def unet(*, seed: int, classes: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    model: nn.Module = build(unet_plan(num_classes=classes), in_channels=1)
    return model


def save(prefix: Path, model: nn.Module) -> None:
    card = model_card(unet_plan(), in_channels=1, class_names=CLASSES, config={}, epoch=1)
    save_weights(prefix, model, card=card)


def test_the_same_network_takes_everything(tmp_path: Path) -> None:
    trained, fresh = unet(seed=1), unet(seed=2)
    save(tmp_path / "model", trained)
    report = load_matching(fresh, tmp_path / "model.ckpt")
    assert report.rows() == []
    assert report.source == tmp_path / "model.safetensors"
    assert report.table().endswith(f"loaded {len(report.loaded)} of {len(report.loaded)} tensors")
    assert all(
        torch.equal(a, b) for a, b in zip(trained.state_dict().values(), fresh.state_dict().values(), strict=True)
    )


def test_another_number_of_classes_keeps_the_last_layer(tmp_path: Path) -> None:
    trained, fresh = unet(seed=1), unet(seed=2, classes=5)
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    save(tmp_path / "model", trained)
    report = load_matching(fresh, tmp_path / "model")
    assert report.reshaped
    assert all(found[0] == 3 and wanted[0] == 5 for _, found, wanted in report.reshaped)
    after = fresh.state_dict()
    for name, _, _ in report.reshaped:
        assert torch.equal(after[name], before[name])
        assert name in report.table()
    assert all(torch.equal(after[name], trained.state_dict()[name]) for name in report.loaded)


def test_missing_and_unused_tensors_are_told(tmp_path: Path) -> None:
    save(tmp_path / "model", nn.ModuleDict({"shared": nn.Linear(2, 2), "old": nn.Linear(2, 2)}))
    report = load_matching(nn.ModuleDict({"shared": nn.Linear(2, 2), "new": nn.Linear(2, 2)}), tmp_path / "model")
    assert report.loaded == ("shared.weight", "shared.bias")
    assert report.missing == ("new.weight", "new.bias")
    assert set(report.unused) == {"old.bias", "old.weight"}
    assert ("new.weight", "absent", "present") in report.rows()
    assert ("old.weight", "present", "absent") in report.rows()


def test_another_network_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "model", nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))
    other = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))  # only a counter of batches has the same shape
    with pytest.raises(
        CheckpointError, match=r"MMAR_CKPT: found a checkpoint of Unet of which no weight fits Sequential"
    ):
        load_matching(other, tmp_path / "model")


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found no weights"):
        load_matching(nn.Linear(1, 1), tmp_path / "model.ckpt")


def test_other_prefixes_are_told_and_taken_away(tmp_path: Path) -> None:
    trained, fresh = unet(seed=1), unet(seed=2)
    save(tmp_path / "model", nn.ModuleDict({"module": trained}))
    report = load_matching(fresh, tmp_path / "model")
    assert report.whole
    name = next(iter(trained.state_dict()))
    assert report.renamed[name] == f"module.{name}"
    assert f"{len(report.loaded)} have another name there, such as module.{name} for {name}" in report.table()
    assert torch.equal(fresh.state_dict()[name], trained.state_dict()[name])


def test_a_file_of_other_software_is_told_how_to_import(tmp_path: Path) -> None:
    (tmp_path / "model.pt").touch()
    with pytest.raises(CheckpointError, match=r"model\.pt: found a file of other software.*vesalia import-weights"):
        load_matching(nn.Linear(1, 1), tmp_path / "model.pt")
