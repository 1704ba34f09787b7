"""Weights of other software become a model of ours that predicts the same."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.unet import UNet
from safetensors.torch import save_file
from torch import nn

from tests.drawn import normal
from tests.inference import nnunet_like
from tests.inference.test_bundle import bundle
from tests.tiny_archive import make_archive, make_data, read_config, write_config
from vesalia.api import Archive
from vesalia.components.models.segresnet import SegResnet
from vesalia.errors import CheckpointError, ConfigError
from vesalia.inference.importing import ImportResult
from vesalia.inference.weights import load_weights

UNET: dict[str, Any] = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": (4, 8), "strides": (2,)}
TINY: dict[str, Any] = {"blocks_down": (1, 1), "blocks_up": (1,), "init_filters": 4, "use_group_normG": 2}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive that has not been trained."""
    return make_archive(tmp_path / "archive", make_data(tmp_path / "data"))


def imported(archive: Path, source: Path, **options: Any) -> ImportResult:
    """Import through the Python face."""
    return Archive(archive).import_weights(source, **options)


def network(archive: Path, **model: Any) -> None:
    """Write another network into the train config."""
    config = read_config(archive)
    config["train"]["model"] = model
    write_config(archive, config)


def test_a_state_dict_of_the_configs_network(tmp_path: Path, archive: Path) -> None:
    torch.manual_seed(5)
    theirs = SegResnet(2, **TINY).eval()
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in theirs.state_dict().items()}}, tmp_path / "w.pt"
    )
    found = imported(archive, tmp_path / "w.pt")
    assert found.weights == archive / "models" / "model.safetensors"
    assert found.match.whole
    assert found.class_names == ("background", "ball")
    ours = load_weights(archive / "models")
    image = normal(1, 1, 8, 8, 8)
    torch.testing.assert_close(ours.model(image), theirs(image))
    assert ours.card["imported"]["kind"] == "state dict"


def test_what_was_imported_can_be_used_at_once(tmp_path: Path, archive: Path) -> None:
    torch.save(SegResnet(2, **TINY).state_dict(), tmp_path / "w.pt")
    imported(archive, tmp_path / "w.pt")
    assert len(Archive(archive).evaluate(device="cpu").cases) == 2


def test_weights_of_monais_own_network(tmp_path: Path, archive: Path) -> None:
    network(archive, path="monai.networks.nets.UNet", args={k: v for k, v in UNET.items() if k != "in_channels"})
    theirs = UNet(**UNET).eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    found = imported(archive, tmp_path / "w.pth")
    image = normal(1, 1, 8, 8, 8)
    torch.testing.assert_close(load_weights(archive / "models").model(image), theirs(image).softmax(1))
    assert "have another name there" in found.match.table()


def test_weights_with_two_names_are_told_once(tmp_path: Path, archive: Path) -> None:
    args: dict[str, Any] = {
        "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2],
        "upsample_kernel_size": [2, 2],
        "filters": [4, 8, 8],
    }
    network(archive, path="monai.networks.nets.DynUNet", args={"out_channels": 2, **args})
    torch.save(DynUNet(3, 1, 2, **args).state_dict(), tmp_path / "w.pt")
    found = imported(archive, tmp_path / "w.pt")
    assert (found.match.whole, found.match.rows()) == (True, [])


def test_plain_safetensors(tmp_path: Path, archive: Path) -> None:
    save_file(SegResnet(2, **TINY).state_dict(), tmp_path / "w.safetensors")
    assert imported(archive, tmp_path / "w.safetensors").match.whole
    (tmp_path / "torn.safetensors").write_bytes(b"12")
    with pytest.raises(CheckpointError, match="not in safetensors format"):
        imported(archive, tmp_path / "torn.safetensors", overwrite=True)


def test_a_bundle_brings_its_network(tmp_path: Path, archive: Path) -> None:
    folder = bundle(tmp_path / "bundle", {"network_def": {"_target_": "UNet", **UNET}})
    (folder / "models").mkdir()
    theirs = UNet(**UNET).eval()
    torch.save({"model": theirs.state_dict()}, folder / "models" / "model.pt")
    found = imported(archive, folder)
    assert (found.kind, found.network["name"]) == ("MONAI bundle", "LibraryModel")
    image = normal(1, 1, 8, 8, 8)
    torch.testing.assert_close(load_weights(archive / "models").model(image), theirs(image).softmax(1))


def test_a_bundle_of_an_unknown_network(tmp_path: Path, archive: Path) -> None:
    folder = bundle(tmp_path / "bundle", {"network_def": {"_target_": "os.system", "command": "true"}})
    (folder / "models").mkdir()
    torch.save({}, folder / "models" / "model.pt")
    with pytest.raises(ConfigError, match=r"monai\.networks\.nets\.system"):
        imported(archive, folder)


def test_nnunet_brings_its_network_and_what_it_did_to_images(tmp_path: Path, archive: Path) -> None:
    torch.manual_seed(4)
    theirs = nnunet_like.LikeNnunet(1, 3).eval()
    file = nnunet_like.save(tmp_path, theirs)
    found = imported(archive, file.parent, output=archive / "models" / "theirs")
    assert (found.kind, found.network["name"]) == ("nnU-Net v2", "PlainConvUnet")
    assert found.match.whole
    assert found.preprocessing["spacing_mm"] == [0.8, 0.7, 3.0]
    loaded = load_weights(archive / "models" / "theirs")
    image = normal(1, 1, 16, 8, 8)
    expected = theirs(image.permute(0, 1, 4, 3, 2)).softmax(1).permute(0, 1, 4, 3, 2)
    torch.testing.assert_close(loaded.model(image), expected, rtol=1e-4, atol=1e-5)
    assert loaded.card["imported"]["preprocessing"] == found.preprocessing
    data = json.loads(json.dumps(found.to_dict()))
    assert data["class_names"] == ["background", "anterior", "posterior"]
    # what is told for a config is what a config takes
    network(archive, **data["network"])
    assert Archive(archive).check().ok


class TestWhatDoesNotFit:
    def test_a_part_is_refused_with_the_table(self, tmp_path: Path, archive: Path) -> None:
        state = SegResnet(2, **TINY).state_dict()
        del state["network.conv_final.2.conv.bias"]
        torch.save(state, tmp_path / "w.pt")
        with pytest.raises(CheckpointError, match="expected all tensors of the network") as caught:
            imported(archive, tmp_path / "w.pt")
        assert "network.conv_final.2.conv.bias  absent" in str(caught.value)
        assert not (archive / "models" / "model.safetensors").exists()

    def test_a_part_will_do_where_that_is_said(self, tmp_path: Path, archive: Path) -> None:
        torch.save(SegResnet(5, **TINY).state_dict(), tmp_path / "w.pt")
        found = imported(archive, tmp_path / "w.pt", partial=True)
        assert not found.match.whole
        assert found.notes == ("tensors that did not match are random: train before use",)

    def test_another_network(self, tmp_path: Path, archive: Path) -> None:
        torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "w.pt")
        for partial in (False, True):
            with pytest.raises(CheckpointError, match="found 0 tensors that fit SegResnet"):
                imported(archive, tmp_path / "w.pt", partial=partial)


class TestNames:
    def test_a_model_that_is_there_stays(self, tmp_path: Path, archive: Path) -> None:
        torch.save(SegResnet(2, **TINY).state_dict(), tmp_path / "w.pt")
        imported(archive, tmp_path / "w.pt")
        with pytest.raises(ConfigError, match="expected a free name; write --out"):
            imported(archive, tmp_path / "w.pt")
        imported(archive, tmp_path / "w.pt", overwrite=True)
        assert imported(archive, tmp_path / "w.pt", output=tmp_path / "other").weights == tmp_path / "other.safetensors"

    def test_nothing_there(self, tmp_path: Path, archive: Path) -> None:
        with pytest.raises(CheckpointError, match="found nothing"):
            imported(archive, tmp_path / "gone.pt")

    def test_a_folder_of_something_else(self, tmp_path: Path, archive: Path) -> None:
        with pytest.raises(CheckpointError, match="no MONAI bundle"):
            imported(archive, tmp_path)

    @pytest.mark.parametrize("listed", ["", "[]", '{"labels": {"0": "background"}}'])
    def test_a_data_list_that_says_nothing(self, tmp_path: Path, archive: Path, listed: str) -> None:
        (tmp_path / "data" / "dataset.json").write_text(listed)
        torch.save(SegResnet(2, **TINY).state_dict(), tmp_path / "w.pt")
        assert imported(archive, tmp_path / "w.pt").class_names == ("background", "class_1")
