"""Channels that transforms make, against the network and those who read labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import lines, training
from vesalia.errors import ConfigError

CHANNELS = "train__image_pipeline__args__output_image_channels"
LAST = "train__pre_transforms__4"
REPEAT = {"name": "RepeatChannel", "args": {"fields": "image", "repeat_times": 3}}
POINTS = {"name": "AddExtremePointsChannel", "args": {"image_field": "image", "label_field": "label"}}
MASKS: dict[str, Any] = {
    "name": "ConvertToMultiChannelBasedOnLabel",
    "args": {"fields": "label", "labels": [0, 1]},
}
ONE_HOT = {"name": "Dice", "args": {"is_onehot_targets": True}}
DICE = {"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "is_key_metric": True}}
TAGS = {"name": "DiceMaskedOutput", "args": {"tags": ["a", "b"]}}


@pytest.mark.parametrize(
    "changes",
    [
        {LAST: REPEAT, CHANNELS: 3, "validate__pre_transforms__2": REPEAT},
        {LAST: REPEAT, CHANNELS: 6},
        {LAST: POINTS, CHANNELS: 2},
        {LAST: MASKS, "train__loss": ONE_HOT},
        {"train__loss": ONE_HOT},
        {"validate__pre_transforms__2": MASKS, "validate__metrics__0__args__is_one_hot_targets": True},
        {"validate__pre_transforms__2": MASKS, "validate__metrics__0__args__field": "image"},
        {LAST: MASKS, "train__loss": {"path": "monai.losses.DiceLoss", "args": {}}},
        {"train__aux_ops__0": {"name": "DiceMaskedOutput", "args": {"tags": "negloss"}}},
        {"train__aux_ops__0": {"name": "DiceMaskedOutput", "args": {"tags": ["negloss", "a", "b"]}}},
        {
            "train__aux_ops__0": {
                "name": "DiceMaskedOutput",
                "args": {"tags": ["negloss", "b"], "skip_background": True},
            }
        },
    ],
)
def test_what_fits(tmp_path: Path, changes: dict[str, Any]) -> None:
    training(tmp_path / "archive", **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {LAST: REPEAT},
            (
                "train.image_pipeline.args.output_image_channels: found nothing, which is 1, expected 3, as "
                "train.pre_transforms[4] makes of one channel; write 3"
            ),
        ),
        (
            {"validate__pre_transforms__2": POINTS, CHANNELS: 1},
            (
                "train.image_pipeline.args.output_image_channels: found 1, expected 2, as validate.pre_transforms[2] "
                "makes of one channel; write 2"
            ),
        ),
        (
            {LAST: MASKS},
            (
                "train.loss.args.is_onehot_targets: found false, and labels with 2 channels, which "
                "train.pre_transforms[4] makes, expected true for such labels; write true"
            ),
        ),
        (
            {LAST: {**MASKS, "args": {"fields": "label", "labels": [1]}}, "train__loss": ONE_HOT},
            (
                "train.loss.args.is_onehot_targets: found true, and labels with one channel, which "
                "train.pre_transforms[4] makes, expected false for such labels; write false"
            ),
        ),
        (
            {LAST: {**MASKS, "args": {"fields": "label", "labels": [0, 1, 2]}}, "train__loss": ONE_HOT},
            (
                "train.loss.args.is_onehot_targets: found true, and labels with 3 channels, which "
                "train.pre_transforms[4] makes, expected labels with 2 (num_classes is 2); write num_classes: 3 of the "
                "model, or another train.pre_transforms[4]"
            ),
        ),
        (
            {"validate__pre_transforms__2": MASKS},
            (
                "validate.metrics[0].args.is_one_hot_targets: found false, and labels with 2 channels, which "
                "validate.pre_transforms[2] makes, expected true for such labels; write true"
            ),
        ),
        (
            {"train__aux_ops__0": TAGS, "validate__metrics__1": {**DICE, "args": {"name": "x", "field": "model"}}},
            (
                "train.aux_ops[0].args.tags: found 2 names, expected 1 (for the mean) or 3 (for the mean and 2 "
                'classes); write ["a"], or a name for each'
            ),
        ),
    ],
)
def test_what_does_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "archive", **changes)
    assert [line.removeprefix("config/config_train.json: ") for line in lines(caught.value)] == [message]


def test_without_a_network_tags_are_not_judged(tmp_path: Path) -> None:
    tags = {"name": "DiceMaskedOutput", "args": {"tags": ["negloss", "b"]}}
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "archive", train__model=None, train__aux_ops__0=tags)
    assert [fault.key for fault in caught.value.faults] == ["train.model"]
