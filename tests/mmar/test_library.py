"""Library classes and plain networks in a config: what of their arguments goes where, and what is told."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, lines, make, training
from vesalia.errors import ConfigError
from vesalia.mmar.build import build
from vesalia.mmar.plan import ComponentPlan, TrainPlan
from vesalia.mmar.validate import plan_training

UNET: dict[str, Any] = {
    "path": "monai.networks.nets.UNet",
    "args": {"channels": [4, 8], "strides": [2], "out_channels": 2},
}
PLAIN = """
from torch import nn
class Net(nn.Module):
    def __init__(self, in_channels, out_channels, spatial_dims, width=4):
        super().__init__()
        self.layer = (nn.Conv3d if spatial_dims == 3 else nn.Conv2d)(in_channels, out_channels, 1)
    def forward(self, image):
        return self.layer(image)
"""
KEY = "config/config_train.json: train"


def faults(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, **changes)
    return lines(caught.value)


def planned(root: Path, code: str = PLAIN, **model: Any) -> TrainPlan:
    make(root, train=changed(TRAIN, train__model={"path": "net.Net", **model}))
    (root / "custom").mkdir()
    (root / "custom" / "net.py").write_text(code)
    return plan_training(root, allow_custom_code=True)


def test_a_network_of_monai_is_the_adapter_with_its_class(tmp_path: Path) -> None:
    model = training(tmp_path / "a", train__model={**UNET, "args": {**UNET["args"], "reg_weight": "1e-5"}}).model
    assert (model.name, model.handle, model.target.origin) == ("LibraryModel", "UNet", "builtin")
    assert model.args == {
        "path": "monai.networks.nets.UNet",
        "arguments": {"channels": (4, 8), "strides": (2,), "out_channels": 2},
        "num_classes": 2,
        "reg_weight": 1e-5,
        "data_dims": 3,
    }
    assert model.argument("final_activation") == "softmax"


def test_second_names_of_classes_are_known(tmp_path: Path) -> None:
    model = training(tmp_path / "a", train__model={**UNET, "path": "monai.networks.nets.Unet"}).model
    assert model.argument("arguments")["strides"] == (2,)


def test_a_name_beside_the_path_is_its_handle(tmp_path: Path) -> None:
    assert training(tmp_path / "a", train__model={**UNET, "name": "mine"}).model.handle == "mine"


def test_a_network_with_one_channel_ends_in_a_sigmoid(tmp_path: Path) -> None:
    args = {**UNET["args"], "out_channels": 1}
    loss = {"name": "Dice"}
    one = training(tmp_path / "a", train__model={**UNET, "args": args}, train__loss=loss).model
    assert one.argument("final_activation") == "sigmoid"
    linear = {**UNET, "args": {**args, "final_activation": "linear"}}
    assert (
        training(tmp_path / "b", train__model=linear, train__loss=loss).model.argument("final_activation") == "linear"
    )


def test_classes_may_be_called_as_ours_or_left_to_the_class(tmp_path: Path) -> None:
    args = {"channels": [4, 8], "strides": [2], "num_classes": 4}
    assert training(tmp_path / "a", train__model={**UNET, "args": args}).model.argument("num_classes") == 4
    left = {"path": "monai.networks.nets.SegResNet"}
    assert training(tmp_path / "b", train__model=left).model.argument("num_classes") == 2


def test_classes_that_nobody_tells_are_a_fault(tmp_path: Path) -> None:
    args = {"channels": [4, 8], "strides": [2]}
    assert faults(tmp_path / "a", train__model={**UNET, "args": args}) == [
        (
            f"{KEY}.model.args.out_channels: found nothing, expected the number of channels that the network gives; "
            'write "out_channels": 2'
        )
    ]


@pytest.mark.parametrize("value", ["{UNSET}", "two"])
def test_classes_that_are_wrong_are_told_once(tmp_path: Path, value: str) -> None:
    args = {**UNET["args"], "out_channels": value}
    found = faults(tmp_path / "a", train__model={**UNET, "args": args})
    assert len(found) == 1
    assert "train.model.args.out_channels" in found[0]


def test_arguments_are_judged_by_the_librarys_source(tmp_path: Path) -> None:
    args = {**UNET["args"], "num_res_unitz": 2, "in_channels": 3}
    misspelt, channels = faults(tmp_path / "a", train__model={**UNET, "args": args})
    assert misspelt.endswith("write num_res_units (did you mean this?)")
    assert channels.endswith('write "output_image_channels": 3 in train.image_pipeline.args')


@pytest.mark.parametrize(
    ("key", "path", "expected", "write"),
    [
        ("model", "monai.networks.nets.UNett", "a class of monai.networks.nets", '"monai.networks.nets.UNet" (did'),
        ("model", "torch.nn.Linear", "a class of monai.networks.nets", "the full path of such a class"),
        ("loss", "monai.losses.Zzzz", "a class of monai.losses or torch.nn", "the full path of such a class"),
        ("lr_policy", "torch.optim.lr_scheduler.StepLR", "a learning-rate policy", "the name of one that ships"),
    ],
)
def test_classes_that_are_not_there(tmp_path: Path, key: str, path: str, expected: str, write: str) -> None:
    (found,) = faults(tmp_path / "a", **{f"train__{key}": {"path": path}})
    assert found.startswith(f'{KEY}.{key}.path: found "{path}", expected {expected}')
    assert write in found


def test_an_optimizer_of_torch(tmp_path: Path) -> None:
    optimizer = {"path": "torch.optim.AdamW", "args": {"weight_decay": "0.1", "betas": [0.9, 0.95]}}
    plan = training(tmp_path / "a", train__optimizer=optimizer).optimizer
    assert plan.name == "LibraryOptimizer"
    assert plan.args == {"path": "torch.optim.AdamW", "arguments": {"weight_decay": 0.1, "betas": (0.9, 0.95)}}


def test_the_learning_rate_is_the_configs(tmp_path: Path) -> None:
    (found,) = faults(tmp_path / "a", train__optimizer={"path": "torch.optim.AdamW", "args": {"lr": 0.1}})
    assert found.startswith(f"{KEY}.optimizer.args.lr: found an argument that does not exist")
    assert found.endswith("write learning_rate at the top level of the config, and nothing here")


def test_a_loss_of_monai(tmp_path: Path) -> None:
    loss = {"path": "monai.losses.DiceLoss", "args": {"softmax": True, "to_onehot_y": "true", "takes": "logits"}}
    plan = training(tmp_path / "a", train__loss=loss).loss
    assert plan.args == {
        "path": "monai.losses.DiceLoss",
        "arguments": {"softmax": True, "to_onehot_y": True},
        "takes": "logits",
    }


@pytest.mark.parametrize("args", [{"out_channels": 2}, {"num_classes": 2, "spatial_dims": 3}])
def test_a_plain_network_of_the_archive(tmp_path: Path, args: dict[str, Any]) -> None:
    plan = planned(tmp_path / "a", args={**args, "reg_weight": 0.5})
    assert plan.model.target.origin == "custom"
    assert plan.model.argument("num_classes") == 2
    assert plan.model.argument("spatial_dims") == 3
    card = ComponentPlan.from_dict(plan.model.to_dict(), archive=plan.archive, allow_custom_code=True)
    model = build(card, archive=plan.archive, in_channels=1)
    assert (model.num_classes, model.reg_weight, model.final_activation) == (2, 0.5, "softmax")


def test_a_plain_network_is_told_its_axes(tmp_path: Path) -> None:
    root = tmp_path / "a"
    train = changed(TRAIN, train__model={"path": "net.Net", "args": {"out_channels": 2}})
    train["train"]["image_pipeline"]["args"].update(output_data_dims=2, output_crop_size=[96, 96])
    train["train"]["pre_transforms"] = train["train"]["pre_transforms"][:2]
    train["train"]["pre_transforms"].append(TRAIN["train"]["pre_transforms"][2])
    make(root, train=train)
    (root / "custom").mkdir()
    (root / "custom" / "net.py").write_text(PLAIN)
    plan = plan_training(root, allow_custom_code=True)
    assert plan.model.argument("spatial_dims") == 2


def test_a_network_on_ours_is_not_plain(tmp_path: Path) -> None:
    code = "from vesalia.components.models.unet import Unet\nclass Net(Unet):\n    pass\n"
    plan = planned(tmp_path / "a", code, args={"num_classes": 2, "nf_enc": "4", "nf_dec": "4,4,4,4"})
    assert "size_divisor" not in plan.model.defaults
    assert plan.model.args["data_dims"] == 3
