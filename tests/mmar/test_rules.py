"""Rules between components."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, evaluation, lines, make, training
from vesalia.errors import ConfigError
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_training

BATCH = {"name": "FastCropByPosNegRatio", "args": {"size": [96, 96, 96], "fields": "image", "batch_size": 3}}
ROI_BATCH = {"name": "FastPosNegRatioCropROI", "args": {"size": [96, 96, 96], "batch_size": 1}}
MERGE = {"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}
FLAG = "train__image_pipeline__args__batched_by_transforms"


def faults(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, **changes)
    return [line.removeprefix("config/config_train.json: ") for line in lines(caught.value)]


def with_custom(root: Path, **changes: Any) -> TrainPlan:
    make(root, train=changed(TRAIN, **changes))
    (root / "custom").mkdir()
    (root / "custom" / "mine.py").write_text("class Mine:\n    def __init__(self, fields='image', tag='x'): pass\n")
    return plan_training(root, allow_custom_code=True)


@pytest.mark.parametrize("crop", [BATCH, ROI_BATCH])
def test_both_ways_to_batch_by_transforms(tmp_path: Path, crop: dict[str, Any]) -> None:
    by_chain: dict[str, Any] = {"train__pre_transforms__3": crop, FLAG: True}
    training(tmp_path / "a", **by_chain)
    training(tmp_path / "b", **{**by_chain, FLAG: "false"}, train__batch_transforms=[MERGE])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {FLAG: True},
            (
                "train.image_pipeline.args.batched_by_transforms: found true, but no transform gives a batch, "
                "expected a "
                "transform that gives a batch (CropByPosNegRatio, CropByPosNegRatioLabelOnly, FastCropByPosNegRatio); "
                "write false"
            ),
        ),
        (
            {"train__pre_transforms__3": BATCH},
            (
                "train.pre_transforms[3]: found FastCropByPosNegRatio, whose crops the pipeline stacks once more (a "
                "tensor "
                'of 6 dimensions), expected MergeBatchDims in train.batch_transforms; write "batch_transforms": '
                '[{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]'
            ),
        ),
        (
            {"train__pre_transforms__3": BATCH, "train__batch_transforms": [MERGE], FLAG: True},
            (
                "train.image_pipeline.args.batched_by_transforms: found true, expected false where MergeBatchDims is "
                "used "
                "(the pipeline stacks items, MergeBatchDims folds them); write false"
            ),
        ),
        (
            {"train__batch_transforms": [MERGE]},
            (
                "train.batch_transforms[0]: found MergeBatchDims, expected it only after a crop that gives a batch "
                "(CropByPosNegRatio, CropByPosNegRatioLabelOnly, FastCropByPosNegRatio); write nothing here"
            ),
        ),
        (
            {"train__pre_transforms__3": BATCH, "train__pre_transforms__4": ROI_BATCH, FLAG: True},
            (
                "train.pre_transforms[4]: found FastPosNegRatioCropROI, expected one crop that gives a batch (the "
                "first is "
                "train.pre_transforms[3]); write nothing here"
            ),
        ),
        (
            {
                "train__pre_transforms__3": BATCH,
                "train__batch_transforms": [{"name": "MergeBatchDims", "args": {"fields": "image"}}],
            },
            (
                'train.batch_transforms[0].args.fields: found ["image"], expected every field that '
                "FastCropByPosNegRatio "
                'crops (image, label); write ["image", "label"]'
            ),
        ),
        (
            {"train__image_pipeline__args__output_crop_size": [96, 96]},
            (
                "train.image_pipeline.args.output_crop_size: found [96, 96], expected 3 numbers, as "
                "train.pre_transforms[3] crops; "
                "write [96, 96, 96]"
            ),
        ),
        (
            {"train__pre_transforms__4__args__fields": ["image", "lable"]},
            (
                'train.pre_transforms[4].args.fields: found "lable", expected one of the fields image, label; write '
                '"label" (did you mean this?)'
            ),
        ),
        (
            {"train__pre_transforms__4__args__fields": "zzz"},
            (
                'train.pre_transforms[4].args.fields: found "zzz", expected one of the fields image, label; write '
                "the name "
                "of a field that is there"
            ),
        ),
        (
            {"validate__metrics__1__args__field": "negloos"},
            (
                'validate.metrics[1].args.field: found "negloos", expected one of the fields image, label, model, '
                "negloss; "
                'write "negloss" (did you mean this?)'
            ),
        ),
        (
            {"train__aux_ops": []},
            (
                'validate.metrics[1].args.field: found "negloss", expected one of the fields image, label, model; '
                "write "
                '{"name": "NegLoss", "args": {"tag": "negloss"}} in train.aux_ops, or one of these'
            ),
        ),
        (
            {"validate__metrics__1__args__is_key_metric": True},
            (
                "validate.metrics[1].args.is_key_metric: found true, expected one key metric (the first is "
                "validate.metrics[0]); write false"
            ),
        ),
        (
            {"validate__metrics__1__args__name": "dice"},
            (
                'validate.metrics[1].args.name: found "dice" a second time (first at validate.metrics[0]), expected '
                "each "
                'name once; write "dice_2"'
            ),
        ),
    ],
)
def test_one_fault_each(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert faults(tmp_path / "a", **changes) == [message]


def test_one_channel_is_a_mask(tmp_path: Path) -> None:
    assert faults(tmp_path / "a", train__model__args__num_classes=1) == [
        (
            'train.model.args.final_activation: found "softmax" over one channel, which is 1 everywhere, expected '
            '"sigmoid" where num_classes is 1; write "sigmoid"'
        ),
        (
            "train.loss.args.skip_background: found true, expected false where num_classes is 1 (the only channel is "
            "the foreground); write false"
        ),
    ]
    training(
        tmp_path / "b",
        train__model__args__num_classes=1,
        train__model__args__final_activation="sigmoid",
        train__loss={"name": "Focal"},
    )


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"num_training_epoch_per_valid": 20},
            (
                "num_training_epoch_per_valid: found 20, more than the 10 epochs, expected a number that does not "
                "exceed "
                "epochs (one validation is done at the end); write 5"
            ),
        ),
        (
            {"validate__metrics": []},
            "validate.metrics: found no metric, expected a metric with is_key_metric (the last model is kept)",
        ),
        (
            {"validate__metrics__0__args__is_key_metric": False},
            (
                "validate.metrics: found no metric with is_key_metric, expected one (the first is taken, "
                'validate.metrics[0]); write "is_key_metric": true'
            ),
        ),
        (
            {"train__image_pipeline__args__output_crop_size": [64, 96, 96]},
            (
                "train.image_pipeline.args.output_crop_size: found [64, 96, 96], expected [96, 96, 96], as "
                "train.pre_transforms[3] crops (the declaration itself does not crop); write [96, 96, 96]"
            ),
        ),
    ],
)
def test_one_warning_each(tmp_path: Path, changes: dict[str, Any], warning: str) -> None:
    plan = training(tmp_path / "a", **changes)
    assert [str(fault).removeprefix("config/config_train.json: ") for fault in plan.warnings] == [warning]


def test_a_size_of_two_numbers_says_that_images_have_two_axes(tmp_path: Path) -> None:
    crop = {**TRAIN["train"]["pre_transforms"][3]["args"], "size": [96, 96]}
    plan = training(
        tmp_path / "a",
        train__image_pipeline__args__output_crop_size=[96, 96],
        train__pre_transforms__3__args=crop,
    )
    assert plan.model.argument("data_dims") == 2
    assert not plan.warnings


def test_a_size_of_two_numbers_where_three_are_said(tmp_path: Path) -> None:
    sizes = {"output_crop_size": [96, 96], "output_data_dims": 3}
    changes = {f"train__image_pipeline__args__{name}": value for name, value in sizes.items()}
    (message,) = faults(tmp_path / "a", **changes)
    assert "found [96, 96], expected 3 numbers, as output_data_dims says; write [96, 96, 96]" in message


def test_free_sizes_and_missing_crops_are_fine(tmp_path: Path) -> None:
    free = [-1, -1, 96]
    assert not training(tmp_path / "a", train__image_pipeline__args__output_crop_size=free).warnings
    assert not training(tmp_path / "b", train__pre_transforms__3=TRAIN["train"]["pre_transforms"][4]).warnings
    plan = training(
        tmp_path / "c",
        train__image_pipeline__args__output_data_dims=2,
        train__image_pipeline__args__output_crop_size=[96, 96],
    )
    assert len(plan.warnings) == 1


def test_a_declaration_that_cannot_be_read_is_one_fault(tmp_path: Path) -> None:
    assert len(faults(tmp_path / "a", train__image_pipeline__args__output_crop_size="x")) == 1


def test_fields_that_a_transform_makes_may_be_read(tmp_path: Path) -> None:
    split = {"name": "SplitBasedOnLabel", "args": {"field": "label", "label_names": ["bg", "organ"]}}
    flip = {"name": "RandomSpatialFlip", "args": {"fields": ["image", "organ"]}}
    training(tmp_path / "a", train__pre_transforms__2=split, train__pre_transforms__4=flip, validate__pre_transforms=[])


def test_of_foreign_code_nothing_is_assumed(tmp_path: Path) -> None:
    mine = {"path": "mine.Mine"}
    with_custom(tmp_path / "a", train__pre_transforms__3=mine, train__batch_transforms=[MERGE])
    with_custom(tmp_path / "b", train__pre_transforms__3=mine, **{FLAG: True})
    with_custom(tmp_path / "c", train__pre_transforms__3=BATCH, train__batch_transforms=[mine])
    with_custom(
        tmp_path / "d",
        train__pre_transforms__3=mine,
        train__pre_transforms__4__args__fields="made_by_mine",
        validate__pre_transforms=[mine],
        validate__metrics__0__args__field="made_by_mine",
    )
    with_custom(tmp_path / "e", train__aux_ops=[mine])
    with_custom(
        tmp_path / "f",
        train__model={"path": "mine.Mine"},
        validate__metrics__0={"path": "mine.Mine", "args": {"fields": 3, "tag": ["x", 3]}},
    )


def test_evaluation_follows_fields_in_the_order_of_work(tmp_path: Path) -> None:
    evaluation(tmp_path / "a")
    with pytest.raises(ConfigError) as caught:
        evaluation(tmp_path / "b", val_metrics__0__args__label_field="label9", writers__0__args__field="pred9")
    assert [line.partition(", expected")[0] for line in lines(caught.value)] == [
        'config/config_validation.json: val_metrics[0].args.label_field: found "label9"',
        'config/config_validation.json: writers[0].args.field: found "pred9"',
    ]
