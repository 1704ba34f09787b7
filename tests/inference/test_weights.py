"""Weights on disk: what is saved is loaded, and what is torn or foreign is refused in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.inference.tiny import CLASSES, unet_plan
from vesalia.errors import CheckpointError
from vesalia.inference.card import model_card
from vesalia.inference.weights import load_weights, read_tensors, save_weights
from vesalia.mmar.build import build


def unet(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    model: nn.Module = build(unet_plan(), in_channels=1)
    return model


def save(prefix: Path, model: nn.Module | None = None) -> nn.Module:
    model = model or unet()
    card = model_card(unet_plan(), in_channels=1, class_names=CLASSES, config={}, epoch=1)
    save_weights(prefix, model, card=card)
    return model


def test_a_model_comes_back_as_it_was(tmp_path: Path) -> None:
    saved = save(tmp_path / "model")
    loaded = load_weights(tmp_path / "model")
    assert not loaded.model.training
    assert loaded.class_names == CLASSES
    assert loaded.prefix == tmp_path / "model"
    image = torch.rand(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(loaded.model(image), saved.eval()(image))


@pytest.mark.parametrize("name", ["model.ckpt", "model.trt.pb", "model.fzn.pb", "model.safetensors", ""])
def test_v3_names_and_the_folder_lead_to_the_same_model(tmp_path: Path, name: str) -> None:
    save(tmp_path / "model")
    assert load_weights(tmp_path / name).prefix == tmp_path / "model"


def test_equal_weights_give_equal_bytes_in_any_memory_layout(tmp_path: Path) -> None:
    save(tmp_path / "a")
    save(tmp_path / "b", unet().to(memory_format=torch.channels_last_3d))  # type: ignore[call-overload]
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    save(tmp_path / "c", unet(seed=1))
    assert (tmp_path / "a.safetensors").read_bytes() != (tmp_path / "c.safetensors").read_bytes()


def test_tensors_that_share_memory_are_saved(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(2, 2)
            self.other = self.one

    save(tmp_path / "tied", Tied())
    tensors, _ = read_tensors(tmp_path / "tied")
    assert torch.equal(tensors["one.weight"], tensors["other.weight"])


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.safetensors: found no weights there.*vesalia train"):
        load_weights(tmp_path / "model")
    save(tmp_path / "model_final")
    with pytest.raises(CheckpointError, match="found only model_final there"):
        load_weights(tmp_path / "model")


@pytest.mark.parametrize("name", ["model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.trt.pb"])
def test_tensorflow_weights_are_named_as_such(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(CheckpointError, match=f"{name}: found a TensorFlow checkpoint.*train the archive anew"):
        load_weights(tmp_path / "model.ckpt")


def test_a_folder_in_place_of_the_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_weights(tmp_path / "model")


def test_weights_without_their_card(tmp_path: Path) -> None:
    save(tmp_path / "model")
    (tmp_path / "model.json").unlink()
    with pytest.raises(CheckpointError, match="found no card beside the weights"):
        load_weights(tmp_path / "model")


def test_a_torn_pair_is_noticed(tmp_path: Path) -> None:
    save(tmp_path / "model")
    save(tmp_path / "other", unet(seed=1))
    (tmp_path / "other.safetensors").replace(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="the pair is torn"):
        load_weights(tmp_path / "model")


def test_a_file_cut_short_is_noticed(tmp_path: Path) -> None:
    save(tmp_path / "model")
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="the pair is torn"):
        load_weights(tmp_path / "model")


def rewrite_card(prefix: Path, **changes: object) -> None:
    path = prefix.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_not_safetensors_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "model")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    rewrite_card(tmp_path / "model", sha256="0e4c70da943c4bba8ef1d0b5c5b9e8b2d0aa5c9a9e1fbb8a9fae0c59d7bdc3a1")
    with pytest.raises(CheckpointError, match="torn"):
        load_weights(tmp_path / "model")
    import hashlib

    rewrite_card(tmp_path / "model", sha256=hashlib.sha256(b"nonsense").hexdigest())
    with pytest.raises(CheckpointError, match="not in safetensors format"):
        load_weights(tmp_path / "model")


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    save(tmp_path / "model")
    plan = unet_plan(num_classes=5)
    rewrite_card(tmp_path / "model", model=plan.to_dict())
    with pytest.raises(CheckpointError, match=r"do not fit.*has shape \[3.*, the network's \[5") as caught:
        load_weights(tmp_path / "model")
    assert "weight" in str(caught.value)


def test_a_long_list_of_misfits_is_counted(tmp_path: Path) -> None:
    save(tmp_path / "model", nn.Sequential(*[nn.Linear(1, 1) for _ in range(9)]))
    with pytest.raises(CheckpointError, match=r"and \d+ more"):
        load_weights(tmp_path / "model")


def test_another_number_of_input_channels_does_not_fit(tmp_path: Path) -> None:
    save(tmp_path / "model")
    rewrite_card(tmp_path / "model", in_channels=4)
    with pytest.raises(CheckpointError, match="do not fit"):
        load_weights(tmp_path / "model")
