"""MONAI bundles: the network their configs name, without running their expressions."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vesalia.errors import CheckpointError
from vesalia.inference.bundle import find_weights, is_bundle, read_bundle

NETWORK: dict[str, Any] = {
    "_target_": "UNet",
    "spatial_dims": 3,
    "in_channels": "@channels",
    "out_channels": "@sizes::classes",
    "channels": [4, 8],
    "strides": [2],
}
CONFIG: dict[str, Any] = {"channels": 2, "sizes": {"classes": 3}, "network_def": NETWORK}


def bundle(folder: Path, config: Any = None, *, name: str = "inference.json", metadata: Any = None) -> Path:
    """A bundle's folder."""
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / name).write_text(json.dumps(CONFIG if config is None else config))
    if metadata is not None:
        (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    return folder


@pytest.mark.parametrize("name", ["inference.json", "train.json"])
def test_a_class_and_plain_arguments(tmp_path: Path, name: str) -> None:
    found = read_bundle(bundle(tmp_path, name=name))
    assert found.node["path"] == "monai.networks.nets.UNet"
    assert found.node["args"] == {"spatial_dims": 3, "out_channels": 3, "channels": [4, 8], "strides": [2]}
    assert found.in_channels == 2
    assert found.class_names == ()


@pytest.mark.parametrize("target", ["monai.networks.nets.UNet", "monai.networks.nets.unet.UNet", "UNet"])
def test_targets_by_path_and_by_name(tmp_path: Path, target: str) -> None:
    found = read_bundle(bundle(tmp_path, {**CONFIG, "network_def": {**NETWORK, "_target_": target}}))
    assert found.node["path"].endswith(".UNet")
    assert found.node["path"].startswith("monai.networks.nets.")


def test_a_target_of_elsewhere_is_looked_for_among_monais_networks(tmp_path: Path) -> None:
    found = read_bundle(bundle(tmp_path, {**CONFIG, "network_def": {"_target_": "os.system", "in_channels": "x"}}))
    assert (found.node["path"], found.in_channels) == ("monai.networks.nets.system", 1)  # which is unknown there


def test_class_names_from_the_metadata(tmp_path: Path) -> None:
    channels = {"0": "background", "1": "spleen", "2": "liver"}
    metadata = {"network_data_format": {"outputs": {"pred": {"channel_def": channels}}}}
    assert read_bundle(bundle(tmp_path, metadata=metadata)).class_names == ("background", "spleen", "liver")


def test_metadata_that_counts_otherwise(tmp_path: Path) -> None:
    metadata = {"network_data_format": {"outputs": {"pred": {"channel_def": {"1": "spleen"}}}}}
    assert read_bundle(bundle(tmp_path, metadata=metadata)).class_names == ()


def test_a_sigmoid_behind_the_network_is_taken_over(tmp_path: Path) -> None:
    after = {"transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]}
    found = read_bundle(bundle(tmp_path, {**CONFIG, "postprocessing": after}))
    assert found.node["args"]["final_activation"] == "sigmoid"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"network_def": {**NETWORK, "channels": "$[4] * 2"}}, r"expression \$\[4\] \* 2 in the network"),
        ({"network_def": {**NETWORK, "strides": "%other.json::x"}}, "expression %other"),
        ({"network_def": {**NETWORK, "strides": "@nowhere"}}, "found @nowhere"),
        ({"channels": "@channels"}, "found @channels"),
        ({"network_def": "$import"}, "found no network_def"),
    ],
)
def test_what_is_not_plain_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        read_bundle(bundle(tmp_path, {**CONFIG, **change}))


@pytest.mark.parametrize(("text", "said"), [("{", "inference.json"), ("[]", "found no JSON object")])
def test_configs_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    folder = bundle(tmp_path)
    (folder / "configs" / "inference.json").write_text(text)
    with pytest.raises(CheckpointError, match=said):
        read_bundle(folder)


def test_folders_and_weights(tmp_path: Path) -> None:
    assert not is_bundle(tmp_path)
    folder = bundle(tmp_path / "bundle")
    assert is_bundle(folder)
    with pytest.raises(CheckpointError, match=r"without models/model\.pt"):
        find_weights(folder)
    (folder / "models").mkdir()
    (folder / "models" / "model.pt").touch()
    assert find_weights(folder) == folder / "models" / "model.pt"
