"""The sections of a training config become the parts of a plan."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, lines, make, training
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_training


def faults(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, **changes)
    return [line.removeprefix("config/config_train.json: ") for line in lines(caught.value)]


@pytest.mark.parametrize("optimizer", [None, {"name": "NovoGrad", "disabled": True}])
def test_the_default_optimizer_is_adam(tmp_path: Path, optimizer: object) -> None:
    plan = training(tmp_path / "a", train__optimizer=optimizer)
    assert (plan.optimizer.name, plan.optimizer.args, plan.optimizer.where) == ("Adam", {}, "train.optimizer")
    assert plan.optimizer.argument("beta1") == 0.9


def test_a_wrong_optimizer_is_not_replaced(tmp_path: Path) -> None:
    assert len(faults(tmp_path / "a", train__optimizer={"name": "Adan"})) == 1
    assert len(faults(tmp_path / "b", train__optimizer=[])) == 1


def test_a_policy_may_be_missing_or_disabled(tmp_path: Path) -> None:
    assert training(tmp_path / "a", train__lr_policy=None).lr_policy is None
    assert training(tmp_path / "b", train__lr_policy__disabled=True).lr_policy is None


def test_validation_may_be_missing(tmp_path: Path) -> None:
    assert training(tmp_path / "a", validate=None).validate is None


def test_validation_needs_a_pipeline_and_an_inferer(tmp_path: Path) -> None:
    assert faults(tmp_path / "a", validate__image_pipeline=None, validate__inferer=None) == [
        (
            'validate.image_pipeline: found nothing, expected an image pipeline; write "image_pipeline": '
            '{"name": "...", "args": {}}'
        ),
        'validate.inferer: found nothing, expected an inferer; write "inferer": {"name": "...", "args": {}}',
    ]
    assert faults(tmp_path / "b", validate=[]) == ['validate: found [], expected an object; write "validate": { ... }']


def test_a_part_that_cannot_be_read_spoils_no_rule(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", train__aux_ops=[{"name": "NegLos"}], train__pre_transforms__3={"name": "Croop"})
    assert [line.partition(":")[0] for line in found] == ["train.pre_transforms[3].name", "train.aux_ops[0].name"]


def test_arguments_of_a_pipeline_that_are_wrong_stop_the_look_at_its_list(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", train__image_pipeline__args__data_list_key=3)
    assert found == ['train.image_pipeline.args.data_list_key: found 3, expected text; write "3"']


@pytest.mark.parametrize(
    ("determinism", "seeds"),
    [
        (None, None),
        (False, None),
        ({}, {}),
        (
            {"python_seed": "20191201", "random_seed": 3, "tf_seed": 4},
            {"python_seed": 20191201, "random_seed": 3, "tf_seed": 4},
        ),
    ],
)
def test_seeds(tmp_path: Path, determinism: object, seeds: object) -> None:
    make(tmp_path / "a", train=changed(TRAIN, determinism=determinism) if determinism is not None else TRAIN)
    assert plan_training(tmp_path / "a").determinism == seeds


def test_wrong_seeds(tmp_path: Path) -> None:
    seeds = {"random_sed": 1, "numpy_seed": "x", "tf_seed": -1, "torch_seed": "{SEED}", "zzz": 3}
    found = faults(tmp_path / "a", determinism=seeds)
    assert found[:3] == [
        (
            "determinism.random_sed: found the key random_sed, expected a key that is read here; write random_seed "
            "(did you mean this?)"
        ),
        'determinism.numpy_seed: found "x", expected a whole number of 0 or more; write 123456',
        "determinism.tf_seed: found -1, expected a whole number of 0 or more; write 123456",
    ]
    assert "determinism.torch_seed: found the variable {SEED}" in found[3]
    assert len(found) == 4
    assert faults(tmp_path / "b", determinism="yes") == [
        'determinism: found "yes", expected an object; write {"random_seed": 123456}'
    ]
