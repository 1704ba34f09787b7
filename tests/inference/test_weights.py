"""Weights on disk: what is saved is loaded, and what is torn or foreign is refused in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.drawn import uniform
from tests.inference.tiny import CLASSES, unet_plan
from vesalia.errors import CheckpointError
from vesalia.inference.card import model_card, read_card
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
    image = uniform(1, 1, 16, 16, 16)
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


def test_an_exported_program_alone_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "model.trt.pb").write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match=r"model.trt.pb: found an exported program.*expected model\.safetensors"):
        load_weights(tmp_path / "model.trt.pb")


def test_a_folder_in_place_of_the_weights(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_weights(tmp_path / "model")


@pytest.mark.parametrize("torn", [Path.unlink, lambda card: card.write_text("{"), lambda card: card.write_text("{}")])
def test_weights_without_a_card_beside_them_have_one_in_their_header(
    tmp_path: Path, torn: Callable[[Path], object]
) -> None:
    save(tmp_path / "model")
    beside = load_weights(tmp_path / "model").card
    torn(tmp_path / "model.json")
    loaded = load_weights(tmp_path / "model")
    assert loaded.card == {key: value for key, value in beside.items() if key != "config"}
    assert loaded.class_names == CLASSES


def test_a_pair_torn_by_a_crash_loads_the_newer_model_with_its_own_card(tmp_path: Path) -> None:
    save(tmp_path / "model")
    newer = unet(seed=1)
    card = model_card(unet_plan(), in_channels=1, class_names=("a", "b", "c"), config={}, epoch=2)
    save_weights(tmp_path / "other", newer, card=card)
    (tmp_path / "other.safetensors").replace(tmp_path / "model.safetensors")
    loaded = load_weights(tmp_path / "model")
    assert (loaded.card["epoch"], loaded.class_names) == (2, ("a", "b", "c"))
    assert read_card(tmp_path / "model")["epoch"] == 2
    assert torch.equal(next(loaded.model.parameters()), next(newer.parameters()))


def test_weights_saved_elsewhere_need_the_card_beside_them(tmp_path: Path) -> None:
    saved = save(tmp_path / "model")
    save_file(saved.state_dict(), tmp_path / "model.safetensors")  # the same tensors, by another tool
    assert load_weights(tmp_path / "model").class_names == CLASSES
    (tmp_path / "model.json").unlink()
    with pytest.raises(CheckpointError, match="found no card beside the weights and none in them"):
        load_weights(tmp_path / "model")


def test_a_header_that_holds_no_card_of_ours_is_refused(tmp_path: Path) -> None:
    saved = save(tmp_path / "model")
    for text in ("nonsense", "{}", "[]"):
        save_file(saved.state_dict(), tmp_path / "model.safetensors", metadata={"vesalia": text})
        with pytest.raises(CheckpointError, match="not a model card"):
            load_weights(tmp_path / "model")


@pytest.mark.parametrize("where", [-1, -1000])
def test_a_changed_byte_is_noticed(tmp_path: Path, where: int) -> None:
    save(tmp_path / "model")
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="the file is damaged"):
        load_weights(tmp_path / "model")


@pytest.mark.parametrize("kept", [-1, 3000, 100, 8, 3, 0])
def test_a_file_cut_short_is_noticed(tmp_path: Path, kept: int) -> None:
    save(tmp_path / "model")
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="the file is damaged"):
        load_weights(tmp_path / "model")


def rewrite_card(prefix: Path, **changes: object) -> None:
    path = prefix.with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_not_safetensors_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "model")
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="damaged"):
        load_weights(tmp_path / "model")
    rewrite_card(tmp_path / "model", sha256=hashlib.sha256(b"").hexdigest())
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
