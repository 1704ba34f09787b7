"""A v4 config on its way to a plan: variables, overrides, and faults in the user's own words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import lines
from tests.mmar.v4.archives import EVALUATE, LIVER, SPLEEN, changed, data, make, part
from vesalia.errors import ConfigError
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.v4.reading import own_names
from vesalia.mmar.validate import plan_evaluation, plan_training


def training(root: Path, *overrides: str, config: Any = SPLEEN, **changes: Any) -> TrainPlan:
    return plan_training(make(root, train=changed(config, **changes)), overrides=overrides)


def faults(root: Path, *overrides: str, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, *overrides, **changes)
    return [line.removeprefix("config/config_train.json: ") for line in lines(caught.value)]


def test_a_plan_like_any_other(tmp_path: Path) -> None:
    plan = training(tmp_path)
    assert (plan.epochs, plan.valid_every, plan.learning_rate, plan.use_amp) == (1, 1, 2e-4, True)
    assert [step.name for step in plan.pre_transforms][:3] == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleIntensityRange",
    ]
    assert plan.model.name == "LibraryModel"
    assert plan.model.argument("num_classes") == 2
    assert plan.checkpoint is None
    assert plan.determinism == {"random_seed": 0}
    assert plan.raw["train"]["loss"]["path"] == "monai.losses.DiceLoss"


def test_the_warnings_have_a_table(tmp_path: Path) -> None:
    [table] = [str(warning) for warning in training(tmp_path).warnings]
    assert "train.pre_transforms[0] LoadImaged -> LoadNifti" in table
    assert table.index("train.loss") < table.index("validate.metrics")


def test_overrides_have_v4s_names(tmp_path: Path) -> None:
    plan = training(tmp_path, "amp=false", "epochs=6", "num_interval_per_valid=3", "learning_rate=0.5")
    assert (plan.use_amp, plan.epochs, plan.valid_every, plan.learning_rate) == (False, 6, 3, 0.5)
    assert plan.lr_policy is not None
    assert plan.lr_policy.args["epochs"] == 6


def test_weights_to_start_from_are_those_that_a_handler_loads(tmp_path: Path) -> None:
    plan = training(tmp_path, "dont_load_ckpt_model=false", "MMAR_CKPT=/weights/model.pt")
    assert plan.checkpoint == Path("/weights/model.pt")


def test_relative_weights_start_from_the_archive(tmp_path: Path) -> None:
    plan = training(tmp_path, "dont_load_ckpt_model=false")
    assert plan.checkpoint == tmp_path / "mmar" / "models" / "model.pt"


def test_a_cache_smaller_than_the_list_is_told(tmp_path: Path) -> None:
    plan = training(tmp_path, train__dataset=data("training", cache_num=2))
    assert "an epoch uses all 4 items" in str(plan.warnings[0])
    assert plan.image_pipeline.name == "SegmentationImagePipeline"


@pytest.mark.parametrize("text", ["{", "[]", '{"training": 3}'])
def test_a_list_that_cannot_be_read_is_told_later(tmp_path: Path, text: str) -> None:
    root = make(tmp_path)
    (tmp_path / "data" / "dataset.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        plan_training(root)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"train__optimizer__args__lr": -1},
            "train.optimizer.args.lr: found -1, expected a number above 0; write 0.001",
        ),
        ({"epochs": 0}, "epochs: found 0, expected a whole number of 1 or more; write 100"),
        (
            {"train__model__args__chanels": [1], "train__model__args__channels": None},
            "train.model.args.chanels: found an argument that does not exist",
        ),
        (
            {"train__pre_transforms__2__args__a_min": "x", "validate__pre_transforms": []},
            'train.pre_transforms[2].args.a_min: found "x", expected a number; write 1.0',
        ),
        (
            {"train__pre_transforms__5__args__offsets": -1},
            "train.pre_transforms[5].args.offsets: found -1, expected a number of 0 or more; write 0.0",
        ),
        (
            {"validate__inferer__args__sw_batch_size": 0},
            "validate.inferer.args.sw_batch_size: found 0, expected a whole number of 1 or more; write 1",
        ),
        (
            {"train__dataset": data("trainin")},
            'train.dataset.data_list_key: found "trainin", expected a list of',
        ),
        ({"train__dataloader__args__batch_size": "{UNSET}"}, "train.dataloader.args.batch_size: found the variable"),
        ({"train__dataloader__args__batch_size": -2}, "train.dataloader.args.batch_size: found -2"),
        (
            {"num_interval_per_vald": 3, "num_interval_per_valid": None},
            "num_interval_per_vald: found the key",
        ),
    ],
)
def test_faults_name_the_users_own_key_path(tmp_path: Path, changes: dict[str, Any], line: str) -> None:
    found = faults(tmp_path, **changes)
    assert [each for each in found if each.startswith(line)], found


def test_variables_that_only_wire_need_not_be_set(tmp_path: Path) -> None:
    assert training(tmp_path, train__handlers__5__args__log_dir="{UNSET}").epochs == 1


def test_evaluated_code_is_refused_by_name_all_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        config=LIVER,
        train__pre_transforms__2=part("Lambdad", keys="label", func="lambda x: x > 0"),
        validate__pre_transforms=[],
        train__model__args__features="#[4] * 6",
        validate__key_metric__args__output_transform="lambda x: x['pred'].sum()",
        train__trainer__args__iteration_update="#custom.update",
    )
    keys = [line.partition(":")[0] for line in found if "that v4 evaluated" in line]
    assert sorted(keys) == [
        "train.model.args.features",
        "train.pre_transforms[2].args.func",
        "train.trainer.args.iteration_update",
        "validate.key_metric.args.output_transform",
    ]


def test_a_config_that_says_nothing_else_is_one_of_v4_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the section train"):
        plan_training(make(tmp_path, train={"num_interval_per_valid": 1}))


def test_v3_keeps_its_own_names() -> None:
    assert own_names({"train": {}}, frozenset({"train"})) == {"train"}


def test_an_evaluation_has_a_plan_too(tmp_path: Path) -> None:
    plan = plan_evaluation(make(tmp_path, evaluate=EVALUATE))
    assert (plan.data_list_key, plan.do_validation, plan.output_infer_result) == ("validation", True, True)
    assert [step.name for step in plan.label_transforms] == ["LoadNifti", "ConvertToChannelsFirst", "MonaiTransform"]
    assert plan.model_loader is None


def test_its_faults_are_in_the_users_words(tmp_path: Path) -> None:
    config = changed(EVALUATE, validate__inferer__args__overlap=2, validate__dataset=data("validatio", "Dataset"))
    with pytest.raises(ConfigError) as caught:
        plan_evaluation(make(tmp_path, evaluate=config))
    assert sorted(fault.key for fault in caught.value.faults) == [
        "validate.dataset.data_list_key",
        "validate.inferer.args.overlap",
    ]
