"""nnU-Net's networks rebuilt: the same numbers for the same image, and refusals in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.drawn import normal
from tests.inference.nnunet_like import (
    STAGES,
    LikeNnunet,
    configuration,
    dataset,
    older_configuration,
    plans,
    save,
)
from vesalia.components.models.plain_conv_unet import PlainConvUnet
from vesalia.errors import CheckpointError
from vesalia.inference.nnunet import NnunetModel, is_nnunet, read_nnunet

FLAT: dict[str, Any] = {
    **STAGES,
    "kernel_sizes": [[3, 3], [3, 3], [3, 3]],
    "strides": [[1, 1], [2, 2], [2, 1]],
}


def network(classes: int = 3, stages: dict[str, Any] | None = None) -> LikeNnunet:
    """A network of nnU-Net with random weights."""
    torch.manual_seed(3)
    return LikeNnunet(1, classes, stages).eval()


def rebuilt(found: NnunetModel) -> PlainConvUnet:
    """The network that was read."""
    model = PlainConvUnet(**found.args, in_channels=found.in_channels)
    model.load_state_dict(found.tensors)
    return model.eval()


@pytest.mark.parametrize("configured", [configuration(), older_configuration()])
def test_the_same_numbers_on_our_axes(tmp_path: Path, configured: dict[str, Any]) -> None:
    theirs = network()
    found = read_nnunet(save(tmp_path, theirs, planned=plans(configured)))
    image = normal(1, 1, 16, 8, 4)  # x, y, z
    expected = theirs(image.permute(0, 1, 4, 3, 2)).softmax(1).permute(0, 1, 4, 3, 2)
    torch.testing.assert_close(rebuilt(found)(image), expected, rtol=1e-4, atol=1e-5)


def test_transposed_axes_are_followed(tmp_path: Path) -> None:
    theirs = network()
    found = read_nnunet(save(tmp_path, theirs, planned=plans(transpose_forward=[1, 0, 2])))
    image = normal(1, 1, 16, 4, 8)  # x, y, z; the network sees y, z, x
    expected = theirs(image.permute(0, 1, 3, 4, 2)).softmax(1).permute(0, 1, 4, 2, 3)
    torch.testing.assert_close(rebuilt(found)(image), expected, rtol=1e-4, atol=1e-5)
    assert any("transpose_forward" in note for note in found.notes)


def test_flat_networks_see_images_as_they_are(tmp_path: Path) -> None:
    theirs = network(stages=FLAT)
    found = read_nnunet(save(tmp_path, theirs, planned=plans(configuration(FLAT))))
    image = normal(1, 1, 16, 8)
    assert found.args["data_dims"] == 2
    torch.testing.assert_close(rebuilt(found)(image), theirs(image).softmax(1), rtol=1e-4, atol=1e-5)


def test_what_is_known_of_it(tmp_path: Path) -> None:
    found = read_nnunet(save(tmp_path, network()))
    assert (found.in_channels, found.class_names) == (1, ("background", "anterior", "posterior"))
    assert found.args["use_deep_supervision"] is True
    assert found.args["strides"] == [[1, 1, 1], [2, 2, 1], [2, 2, 2]]
    assert found.preprocessing == {
        "spacing_mm": [0.8, 0.7, 3.0],
        "patch_size": [32, 24, 16],
        "normalization": ["CTNormalization"],
    }


def test_regions_end_in_a_sigmoid(tmp_path: Path) -> None:
    labels = {"background": 0, "whole": [1, 2], "core": [2]}
    theirs = network(classes=2)
    found = read_nnunet(save(tmp_path, theirs, data=dataset(labels=labels, regions_class_order=[1, 2])))
    assert (found.class_names, found.args["final_activation"]) == (("whole", "core"), "sigmoid")


def test_the_plans_beside_the_folds_will_do(tmp_path: Path) -> None:
    file = save(tmp_path, network(), inside=False)
    assert read_nnunet(file).class_names[1] == "anterior"


def test_a_folder_of_folds_takes_the_first_and_says_so(tmp_path: Path) -> None:
    file = save(tmp_path, network())
    other = file.parents[1] / "fold_1"
    other.mkdir()
    (other / file.name).write_bytes(file.read_bytes())
    assert is_nnunet(file.parents[1])
    found = read_nnunet(file.parents[1])
    assert found.file == file
    assert "the weights are of fold_0; nnU-Net would average 2 folds" in found.notes
    assert read_nnunet(file.parent).file == file


def test_a_configuration_that_inherits(tmp_path: Path) -> None:
    configured = configuration()
    child = {"inherits_from": "base", "spacing": [1.0, 1.0, 2.0]}
    planned = plans(child)
    planned["configurations"]["base"] = configured
    found = read_nnunet(save(tmp_path, network(), planned=planned))
    assert found.preprocessing["spacing_mm"] == [2.0, 1.0, 1.0]


def test_prefixes_of_wrappers_are_taken_away(tmp_path: Path) -> None:
    theirs = network()
    wrapped = torch.nn.Module()
    wrapped.module = torch.nn.Module()
    wrapped.module._orig_mod = theirs
    found = read_nnunet(save(tmp_path, wrapped))
    assert "encoder.0.0.conv.weight" in found.tensors


def test_one_head_alone_is_the_finest(tmp_path: Path) -> None:
    theirs = network()
    theirs.decoder.seg_layers = torch.nn.ModuleList([torch.nn.Identity(), theirs.decoder.seg_layers[-1]])
    found = read_nnunet(save(tmp_path, theirs))
    assert found.args["use_deep_supervision"] is False
    rebuilt(found)


@pytest.mark.parametrize(
    ("planned", "said"),
    [
        (
            plans(configuration(network_class_name="x.ResidualEncoderUNet")),
            "class x.ResidualEncoderUNet, expected Plain",
        ),
        (plans(configuration(norm_op="torch.nn.BatchNorm3d")), "found norm_op torch.nn.BatchNorm3d"),
        (plans(configuration(conv_bias=False)), "found convolutions without bias"),
        (plans(configuration(n_stages=4)), "plans whose network cannot be read"),
        (plans(configuration(features_per_stage=None)), "plans whose network cannot be read"),
        (plans({"UNet_class_name": "Other"}), "class Other"),
        (plans({"inherits_from": "3d_fullres"}), "inherits from 3d_fullres"),
        ({"configurations": {}}, "plans without the configuration 3d_fullres"),
    ],
)
def test_networks_that_are_not_rebuilt(tmp_path: Path, planned: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_nnunet(save(tmp_path, network(), planned=planned))


def test_weights_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="weights that are not of PlainConvUNet"):
        read_nnunet(save(tmp_path, torch.nn.Linear(1, 1)))


class TestFiles:
    def test_a_checkpoint_without_plans(self, tmp_path: Path) -> None:
        file = save(tmp_path, network(), inside=False)
        (file.parents[1] / "plans.json").unlink()
        with pytest.raises(CheckpointError, match=r"found no plans.json in it nor in the folders above"):
            read_nnunet(file)

    def test_plans_that_are_no_json(self, tmp_path: Path) -> None:
        file = save(tmp_path, network(), inside=False)
        (file.parents[1] / "plans.json").write_text("{")
        with pytest.raises(CheckpointError, match=r"plans.json"):
            read_nnunet(file)

    def test_plans_that_are_no_object(self, tmp_path: Path) -> None:
        file = save(tmp_path, network(), inside=False)
        (file.parents[1] / "plans.json").write_text(json.dumps([]))
        with pytest.raises(CheckpointError, match=r"found no plans.json"):
            read_nnunet(file)

    def test_a_folder_without_checkpoints(self, tmp_path: Path) -> None:
        assert not is_nnunet(tmp_path)
        with pytest.raises(CheckpointError, match=r"found no checkpoint_final\.pth or checkpoint_best\.pth"):
            read_nnunet(tmp_path)

    @pytest.mark.parametrize(("name", "theirs"), [("checkpoint_best.pth", True), ("model.pt", False)])
    def test_names(self, tmp_path: Path, name: str, theirs: bool) -> None:
        assert is_nnunet(tmp_path / name) == theirs
