"""Model, loss, optimizer and schedule by MONAI's and PyTorch's own names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.networks import (
    Network,
    activation_of,
    network_of,
    translate_loss,
    translate_model,
    translate_optimizer,
    translate_schedule,
)
from vesalia.mmar.v4.part import Part


def made(name: str, path: str = "", **args: Any) -> Part:
    return Part(name, f"train.{name}", name, path, args)


def test_a_model_is_monais_class_with_an_activation() -> None:
    draft = Draft("c")
    part = made("UNet", dimensions=2, in_channels=3, out_channels=5)
    assert translate_model(part, "sigmoid", draft=draft) == {
        "path": "monai.networks.nets.UNet",
        "args": {"spatial_dims": 2, "out_channels": 5, "final_activation": "sigmoid"},
    }
    assert draft.places.of("train.model.args.spatial_dims") == "train.UNet.args.dimensions"
    assert draft.places.of("train.model.path") == "train.UNet.name"


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (made("UNet", dimensions=2, in_channels=3, out_channels=5), Network(3, 5, 2)),
        (made("Net", num_classes="4"), Network(1, 4, 3)),
        (made("Net", in_channels="{x}", out_channels="many"), Network(1, None, 3)),
        (None, Network()),
    ],
)
def test_what_a_model_says_of_its_data(part: Part | None, wanted: Network) -> None:
    assert network_of(part) == wanted


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        (None, None),
        (made("DiceLoss"), None),
        (made("DiceLoss", softmax=True), "softmax"),
        (made("DiceLoss", sigmoid=True), "sigmoid"),
        (made("DiceCELoss"), "softmax"),
        (made("CrossEntropyLoss"), "softmax"),
        (made("BCEWithLogitsLoss"), "sigmoid"),
        (made("FocalLoss"), "sigmoid"),
        (made("FocalLoss", use_softmax=True), "softmax"),
        (made("DiceLoss", "mine.DiceLoss", softmax=True), None),
    ],
)
def test_the_activation_that_a_loss_applies(part: Part | None, wanted: str | None) -> None:
    assert activation_of(part) == wanted


def test_losses_and_optimizers_keep_their_arguments_but_for_what_the_trainer_gives() -> None:
    draft = Draft("c")
    assert translate_loss(made("CrossEntropyLoss", weight=[1, 2]), draft=draft) == {
        "path": "torch.nn.CrossEntropyLoss",
        "args": {"weight": [1, 2]},
    }
    found = translate_optimizer(made("Novograd", lr=1, params=2, weight_decay=3), draft=draft)
    assert found == {"path": "monai.optimizers.Novograd", "args": {"weight_decay": 3}}


def test_a_path_and_custom_code_are_kept() -> None:
    draft = Draft("c")
    assert translate_loss(made("Mine", "code.Mine"), draft=draft)["path"] == "code.Mine"
    assert translate_loss(made("DiceLoss", "monai.losses.DiceLoss"), draft=draft)["path"] == "monai.losses.DiceLoss"
    assert draft.places.of("train.loss.path") == "train.DiceLoss.path"


def test_an_unknown_class_is_told_with_the_nearest() -> None:
    draft = Draft("c")
    translate_loss(made("DiceLos"), draft=draft)
    assert [str(fault) for fault in draft.faults] == [
        (
            'c: train.DiceLos.name: found "DiceLos", expected a loss of monai.losses or torch.nn; write "DiceLoss" '
            "(did you mean this?)"
        )
    ]


def test_schedules_are_the_librarys() -> None:
    draft = Draft("c")
    part = made("StepLR", step_size=3)
    path = "torch.optim.lr_scheduler.StepLR"
    assert translate_schedule(part, draft=draft, epochs=9, by_step=False) == {
        "name": "LibrarySchedule",
        "args": {"path": path, "arguments": {"step_size": 3}, "by_step": False, "epochs": 9},
    }
    assert translate_schedule(part, draft=draft, epochs=9, by_step=True) == {
        "name": "LibrarySchedule",
        "args": {"path": path, "arguments": {"step_size": 3}, "by_step": True},
    }
    found = translate_schedule(
        made("WarmupCosineSchedule", warmup_steps=1, t_total=2), draft=draft, epochs=1, by_step=True
    )
    assert found is not None
    assert found["args"]["path"] == "monai.optimizers.lr_scheduler.WarmupCosineSchedule"


@pytest.mark.parametrize(("patience", "count"), [({"patience": 4}, 5), ({"patience": 0}, 1), ({}, 11)])
def test_a_plateau_is_ours(patience: dict[str, Any], count: int) -> None:
    part = made("ReduceLROnPlateau", factor=0.5, **patience)
    assert translate_schedule(part, draft=Draft("c"), epochs=9, by_step=False) == {
        "name": "ReduceOnPlateau",
        "args": {"plateau_count_trigger": count, "reduction_rate": 0.5},
    }


@pytest.mark.parametrize(
    "part", [made("LambdaLR"), made("SequentialLR"), made("Optimizer"), made("StepLR", "m.StepLR")]
)
def test_schedules_of_code_or_of_others_are_refused(part: Part) -> None:
    draft = Draft("c")
    assert translate_schedule(part, draft=draft, epochs=9, by_step=False) is None
    assert "told by plain values" in draft.faults[0].expected
