"""A whole training config: every part in its place, values where v3 has them, faults where the user wrote."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import ARCHIVES, BRATS, LIVER, SPLEEN, part, translated


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_of_the_public_kind_translate(name: str) -> None:
    done = translated({**ARCHIVES[name], "dont_load_ckpt_model": True}, train__handlers=None)
    assert done.draft.faults == []
    assert set(done.config) == {"train", "validate", "determinism"}


def test_values_come_to_the_top() -> None:
    done = translated(
        SPLEEN,
        train__handlers=[part("ValidationHandler", interval=7), part("CheckpointLoader", load_path="m.pt")],
        train__optimizer__args__lr=0.5,
        train__trainer__args__max_epochs=9,
        tf32=True,
    )
    assert {name: value for name, (value, _) in done.settings.items()} == {
        "MMAR_CKPT": "m.pt",
        "epochs": 9,
        "learning_rate": 0.5,
        "num_training_epoch_per_valid": 7,
        "use_amp": True,
    }
    assert done.settings["learning_rate"][1] == "train.optimizer.args.lr"
    assert done.unset == set()


def test_without_a_loader_no_weights_are_loaded_and_without_amp_there_is_none() -> None:
    config = {name: value for name, value in SPLEEN.items() if name != "amp"}
    done = translated(config, train__handlers=None, train__lr_scheduler=None)
    assert done.settings["use_amp"] == (False, "amp")
    assert done.unset == {"MMAR_CKPT"}
    assert "lr_policy" not in done.config["train"]


def test_the_loss_says_the_activation() -> None:
    done = translated(SPLEEN, train__handlers=None, train__loss=part("BCEWithLogitsLoss"))
    assert done.config["train"]["model"]["args"]["final_activation"] == "sigmoid"
    assert any("softmax is left out" in note for note in done.draft.notes)


@pytest.mark.parametrize(("classes", "wanted"), [(1, "sigmoid"), (2, "softmax")])
def test_where_nothing_says_it_the_number_of_channels_does(classes: int, wanted: str) -> None:
    done = translated(
        SPLEEN,
        train__handlers=None,
        train__loss=part("DiceLoss"),
        train__model__args__out_channels=classes,
        train__post_transforms=None,
        validate__post_transforms=None,
    )
    assert done.config["train"]["model"]["args"]["final_activation"] == wanted


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"train__pre_transforms": [part("LoadImaged", keys="image")], "validate__pre_transforms": []}, True),
        (
            {
                "train__pre_transforms": [part("LoadImaged", keys="image")],
                "validate__pre_transforms": [],
                "train__loss__args__to_onehot_y": True,
            },
            False,
        ),
    ],
)
def test_a_label_with_a_channel_per_class(changes: dict[str, Any], wanted: bool) -> None:
    done = translated(BRATS, train__handlers=None, **changes)
    assert done.config["validate"]["metrics"][0]["args"].get("is_one_hot_targets", False) == wanted


def test_without_validation_training_says_what_the_network_ends_in() -> None:
    done = translated(SPLEEN, train__handlers=None, validate=None, determinism=None)
    assert set(done.config) == {"train"}
    assert done.config["train"]["model"]["args"]["final_activation"] == "softmax"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"train__loss": None}, "train.loss"),
        ({"train__model": None}, "train.model"),
        ({"train": 3}, "train"),
        ({"validate": []}, "validate"),
        ({"train__lr_scheduler": part("LambdaLR")}, "train.lr_scheduler.name"),
        ({"train__datset": {}}, "train.datset"),
    ],
)
def test_what_is_missing_or_no_section_is_told(changes: dict[str, Any], key: str) -> None:
    done = translated(SPLEEN, train__handlers=None, **changes)
    assert [fault.key for fault in done.draft.faults if fault.key == key] == [key]


def test_an_optimizer_may_be_left_out() -> None:
    done = translated(SPLEEN, train__handlers=None, train__optimizer=None)
    assert "optimizer" not in done.config["train"]
    assert done.draft.faults == []


def test_epochs_that_nobody_gives_are_asked_for_later() -> None:
    config = {name: value for name, value in SPLEEN.items() if name != "epochs"}
    done = translated(config, train__handlers=None, train__trainer=None)
    assert done.config["train"]["lr_policy"]["args"]["epochs"] == 1
    assert "epochs" not in done.settings


def test_a_class_of_the_archives_own_is_no_loss_that_is_known() -> None:
    done = translated(LIVER, train__loss={"path": "mine.Loss"})
    assert done.config["train"]["loss"] == {"path": "mine.Loss", "args": {}}
