"""Top-level keys: typed, overridden in the right order, and missed when they are misspelt."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import ENVIRONMENT, TRAIN, changed, lines, make, training
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_training


def planned(root: Path, *overrides: str, environment: dict[str, Any] | None = None, **config: Any) -> Any:
    make(root, train=changed(TRAIN, **config), environment={**ENVIRONMENT, **(environment or {})})
    return plan_training(root, overrides=overrides)


def faults(root: Path, *overrides: str, **layers: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        planned(root, *overrides, **layers)
    return lines(caught.value)


def test_the_command_line_wins_over_the_environment_over_the_config(tmp_path: Path) -> None:
    plan = planned(
        tmp_path / "a",
        "epochs=30",
        environment={"epochs": 20, "learning_rate": 0.5},
        use_amp="true",
        num_training_epoch_per_valid=2,
    )
    assert (plan.epochs, plan.learning_rate, plan.valid_every, plan.use_amp) == (30, 0.5, 2, True)
    assert (plan.raw["epochs"], plan.raw["learning_rate"], plan.raw["use_amp"]) == (30, 0.5, "true")


def test_what_nobody_sets_has_its_default(tmp_path: Path) -> None:
    plan = planned(tmp_path / "a", num_training_epoch_per_valid=None)
    assert (plan.valid_every, plan.use_amp, plan.multi_gpu, plan.stop_threshold) == (1, None, False, None)
    assert (plan.summary_interval, plan.determinism, plan.checkpoint) == (1, None, None)


def test_the_command_line_creates_keys(tmp_path: Path) -> None:
    plan = planned(tmp_path / "a", "stop_threshold=1", "MMAR_CKPT=models/model.ckpt", "multi_gpu=True")
    assert plan.stop_threshold == 1.0
    assert plan.checkpoint == tmp_path / "a" / "models" / "model.ckpt"
    assert plan.multi_gpu is True
    assert plan.raw["stop_threshold"] == 1


def test_required_keys(tmp_path: Path) -> None:
    assert faults(tmp_path / "a", epochs=None, learning_rate=None) == [
        'config/config_train.json: epochs: found nothing, expected a whole number of 1 or more; write "epochs": 100',
        (
            "config/config_train.json: learning_rate: found nothing, expected a number above 0; "
            'write "learning_rate": 0.001'
        ),
    ]


def test_wrong_types_are_told_where_they_were_written(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", "epochs=many", environment={"learning_rate": True}, multi_gpu="maybe")
    assert found == [
        '--set: epochs: found "many", expected a whole number of 1 or more; write epochs=100',
        "config/environment.json: learning_rate: found true, expected a number above 0; write 0.001",
        'config/config_train.json: multi_gpu: found "maybe", expected true or false; write true',
    ]


def test_misspelt_names_are_faults_and_nothing_is_reported_missing_as_well(tmp_path: Path) -> None:
    found = faults(
        tmp_path / "a",
        "epoch=3",
        environment={"DATA_ROT": "x", "PROCESING_TASK": "y"},
        learning_rate=None,
        learning_rat=0.1,
    )
    assert found == [
        (
            "config/config_train.json: learning_rat: found the key learning_rat, expected a key that is read here; "
            "write learning_rate (did you mean this?)"
        ),
        "--set: epoch: found the name epoch, expected a name that is read here; write epochs (did you mean this?)",
    ]


def test_a_missing_name_of_the_environment_is_seen_in_its_misspelling(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "DATASETJSON": ENVIRONMENT["DATASET_JSON"]}
    del environment["DATASET_JSON"]
    make(tmp_path / "a", environment=environment)
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a")
    assert "config/environment.json: DATASETJSON: found the name DATASETJSON" in lines(caught.value)[0]


def test_extra_names_are_allowed(tmp_path: Path) -> None:
    pre = copy.deepcopy(TRAIN["train"]["pre_transforms"])
    pre[4]["args"]["probability"] = "{flip_chance}"
    plan = planned(
        tmp_path / "a",
        "flip_chance=0.25",
        "ROUND_NUM=3",
        environment={"something_else": 3, "DATA_ROOT_overridding_from_Train": "x"},
        extra=5,
        num_epochs=3,
        search=[{"any": "thing"}],
        lr_search=[1e-5, 1e-3],
        train__pre_transforms=pre,
    )
    assert plan.pre_transforms[4].args["probability"] == 0.25
    assert plan.variables["ROUND_NUM"] == 3
    assert [(warning.file, warning.key) for warning in plan.warnings] == [
        ("config/config_train.json", "extra"),
        ("config/config_train.json", "num_epochs"),
        ("--set", "ROUND_NUM"),
    ]


def test_a_section_is_not_set_on_the_command_line(tmp_path: Path) -> None:
    assert faults(tmp_path / "a", "train=x") == [
        (
            "--set: train: found a section, expected a name with one value (this is a section of the config); "
            "write the "
            "section in the config file"
        )
    ]


def test_an_unset_variable_is_one_fault(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", epochs="{MANY}")
    assert len(found) == 1
    assert found[0].startswith("config/config_train.json: epochs: found the variable {MANY}, which is not set")


def test_null_is_a_value(tmp_path: Path) -> None:
    plan = training(tmp_path / "a", "stop_threshold=0.9")
    assert plan.stop_threshold == 0.9


class TestExtrasOfATraining:
    def test_they_are_off_unless_somebody_asks(self, tmp_path: Path) -> None:
        plan = planned(tmp_path / "a")
        assert (plan.batches_per_update, plan.largest_gradient_norm, plan.ema_decay) == (1, None, None)
        assert (plan.stop_patience, plan.frozen_parameters, plan.trackers) == (None, (), ("tensorboard",))

    def test_each_has_a_key(self, tmp_path: Path) -> None:
        plan = planned(
            tmp_path / "a",
            "num_batches_per_update=4",
            max_gradient_norm="1e1",
            ema_decay=0.999,
            stop_patience=10,
            frozen_parameters="stem.*, *.bias",
        )
        assert (plan.batches_per_update, plan.largest_gradient_norm, plan.ema_decay) == (4, 10.0, 0.999)
        assert (plan.stop_patience, plan.frozen_parameters) == (10, ("stem.*", "*.bias"))

    def test_lists_may_be_lists(self, tmp_path: Path) -> None:
        plan = planned(tmp_path / "a", frozen_parameters=["stem.*"], trackers=["mlflow", "tensorboard"])
        assert (plan.frozen_parameters, plan.trackers) == (("stem.*",), ("mlflow", "tensorboard"))
        assert plan.raw["frozen_parameters"] == ["stem.*"]

    def test_the_command_line_wins_over_a_list_too(self, tmp_path: Path) -> None:
        plan = planned(tmp_path / "a", "frozen_parameters=head", "trackers=", frozen_parameters=["stem.*"])
        assert (plan.frozen_parameters, plan.trackers) == (("head",), ())

    @pytest.mark.parametrize(
        ("key", "value", "said"),
        [
            ("num_batches_per_update", 0, "expected a whole number of 1 or more"),
            ("max_gradient_norm", 0, "expected a number above 0 or null; write 1.0"),
            ("ema_decay", 2, "expected a number from 0 to 1 or null; write 0.999"),
            ("stop_patience", 0, "expected a whole number of 1 or more or null; write 10"),
            ("frozen_parameters", [1], 'write "network.down_layers.*"'),
            ("frozen_parameters", {"a": 1}, None),
            ("trackers", "tensorbord", "tensorboard"),
            ("epochs", [3], "expected a whole number of 1 or more"),
        ],
    )
    def test_wrong_values(self, tmp_path: Path, key: str, value: Any, said: str | None) -> None:
        if said is None:
            assert planned(tmp_path / "a", **{key: value}).frozen_parameters == ()
        else:
            (line,) = faults(tmp_path / "a", **{key: value})
            assert f"{key}: found" in line
            assert said in line

    @pytest.mark.parametrize("name", ["ema_decy", "frozen_parameter", "stop_patiance", "max_gradient_norms"])
    def test_misspelt_ones_are_recognised(self, tmp_path: Path, name: str) -> None:
        (line,) = faults(tmp_path / "a", **{name: 1})
        assert "(did you mean this?)" in line
