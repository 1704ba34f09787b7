"""From a card to a network: what is known is built, what is not is refused, strangers' code is not run."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.inference.tiny import CLASSES, unet_plan
from vesalia.components.models.unet import Unet
from vesalia.errors import CheckpointError, CustomCodeRefused
from vesalia.inference.card import model_card
from vesalia.inference.rebuild import rebuild_model
from vesalia.mmar.archive import ArchiveFolder

CUSTOM = """
from torch import nn
from vesalia.components.models.base import Model

class Tiny(Model):
    def __init__(self, num_classes: int, *, in_channels: int) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation="softmax")
        self.layer = nn.Conv3d(in_channels, num_classes, 1)

class Plain:
    def __init__(self, num_classes: int, *, in_channels: int) -> None:
        self.num_classes = num_classes
"""


def card(**changes: Any) -> dict[str, Any]:
    made = model_card(unet_plan(), in_channels=2, class_names=CLASSES, config={}, epoch=1)
    return {**made, "model": {**made["model"], **changes}}


def custom_card(name: str = "Tiny") -> dict[str, Any]:
    return card(name=name, handle=name, origin="custom", path=f"my_net.{name}", args={"num_classes": 3})


def make_custom(root: Path) -> ArchiveFolder:
    (root / "custom").mkdir()
    (root / "custom" / "my_net.py").write_text(CUSTOM)
    return ArchiveFolder(root)


def test_a_known_network_is_built_with_its_channels() -> None:
    model = rebuild_model(card(), where="model.json")
    assert isinstance(model, Unet)
    assert model.in_channels == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Vnet", "path": "vesalia.components.models.vnet.Vnet"},
        {"path": "os.system"},
        {"origin": "plugin", "name": "system", "path": "os.system"},
        {"args": {"num_classes": 3, "wings": 2}},
        {"args": None},
        {"name": None},
    ],
)
def test_what_is_not_known_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"model\.json: model: found .*cannot build"):
        rebuild_model(card(**changes), where="model.json")


def test_a_component_of_another_kind_is_refused() -> None:
    changes = {"slot": "loss", "name": "Dice", "handle": "Dice", "path": "vesalia.components.losses.dice.Dice"}
    with pytest.raises(CheckpointError):
        rebuild_model(card(**changes, args={}), where="model.json")


def test_a_class_that_is_no_network_is_refused(tmp_path: Path) -> None:
    archive = make_custom(tmp_path)
    with pytest.raises(CheckpointError, match=r"found the class my_net.Plain, which is no Model"):
        rebuild_model(custom_card("Plain"), where="model.json", archive=archive, allow_custom_code=True)


def test_custom_code_runs_only_when_allowed(tmp_path: Path) -> None:
    archive = make_custom(tmp_path)
    with pytest.raises(CustomCodeRefused, match="--allow-custom-code"):
        rebuild_model(custom_card(), where="model.json", archive=archive)
    model = rebuild_model(custom_card(), where="model.json", archive=archive, allow_custom_code=True)
    assert isinstance(model, nn.Module)
    assert type(model).__name__ == "Tiny"


def test_custom_code_needs_its_archive() -> None:
    with pytest.raises(CheckpointError, match="Tiny"):
        rebuild_model(custom_card(), where="model.json", allow_custom_code=True)
