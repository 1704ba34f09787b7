"""The network of a config alone, or as other software describes it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import make_archive, make_data, read_config, write_config
from vesalia.errors import ConfigError
from vesalia.mmar.archive import open_archive
from vesalia.mmar.planned_network import PlannedNetwork, configured_network, described_network
from vesalia.mmar.workspace import Request


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A sound archive."""
    return make_archive(tmp_path / "archive", make_data(tmp_path / "data"))


def of(archive: Path) -> PlannedNetwork:
    """The network of its train config."""
    return configured_network(
        Request(archive, "config/config_train.json", "config/environment.json", (), allow_custom_code=False)
    )


def test_the_network_and_what_belongs_to_it(archive: Path) -> None:
    found = of(archive)
    assert (found.model.name, found.in_channels) == ("SegResnet", 1)
    assert found.data_list == archive.parent / "data" / "dataset.json"
    assert found.config["epochs"] == 4


def test_faults_elsewhere_do_not_matter(archive: Path) -> None:
    config = read_config(archive)
    del config["epochs"]
    config["train"]["loss"] = {"name": "Dicee"}
    config["train"]["pre_transforms"].append({"path": "mine.Turn"})
    config["validate"]["metrics"][0]["args"]["field"] = "{NOWHERE}"
    config["train"]["image_pipeline"]["args"].pop("data_list_file_path")
    write_config(archive, config)
    found = of(archive)
    assert (found.model.name, found.data_list) == ("SegResnet", None)


def test_without_a_pipeline(archive: Path) -> None:
    config = read_config(archive)
    del config["train"]["image_pipeline"]
    write_config(archive, config)
    assert (of(archive).in_channels, of(archive).data_list) == (1, None)


def test_faults_of_the_network_are_told(archive: Path) -> None:
    config = read_config(archive)
    config["train"]["model"]["args"]["init_filters"] = "many"
    config["epochs"] = "some"
    write_config(archive, config)
    with pytest.raises(ConfigError) as caught:
        of(archive)
    assert [fault.key for fault in caught.value.faults] == ["train.model.args.init_filters"]


@pytest.mark.parametrize("model", [None, {"name": "Nothing"}, [{"name": "SegResnet", "disabled": True}]])
def test_no_network(archive: Path, model: Any) -> None:
    config = read_config(archive)
    config["train"]["model"] = model
    write_config(archive, config)
    with pytest.raises(ConfigError, match=r"train\.model"):
        of(archive)


def described(archive: Path, node: dict[str, Any]) -> PlannedNetwork:
    """A network from elsewhere."""
    return described_network(node, in_channels=2, archive=open_archive(archive), file="inference.json")


def test_a_network_from_elsewhere(archive: Path) -> None:
    found = described(archive, {"name": "SegResnet", "args": {"num_classes": 3}})
    assert (found.model.argument("num_classes"), found.in_channels) == (3, 2)


@pytest.mark.parametrize("node", [{"name": "SegResnett", "args": {"num_classes": 3}}, {"ref": "SegResnet"}])
def test_faults_of_it_name_its_file(archive: Path, node: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"inference\.json: model"):
        described(archive, node)


def test_one_that_is_switched_off(archive: Path) -> None:
    with pytest.raises(ConfigError, match="expected a network"):
        described(archive, {"name": "SegResnet", "args": {"num_classes": 3}, "disabled": True})
