"""The texts of a run: found, read, and put together before anything is judged."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, lines, make, training
from vesalia.errors import ArchiveError, ConfigError
from vesalia.mmar.validate import plan_training

FILE = "config/config_train.json: "


def faults(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, **changes)
    return [line.removeprefix(FILE) for line in lines(caught.value)]


def test_there_must_be_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        plan_training(tmp_path / "none")


def test_all_texts_are_read_before_the_first_fault_is_told(tmp_path: Path) -> None:
    make(tmp_path / "a", train='{"use_amp": ture}', environment="[1]")
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a", overrides=["epochs"])
    assert lines(caught.value) == [
        f"{FILE}line 1, column 13: found ture, expected a JSON value; write true",
        "config/environment.json: found [1], expected a JSON object; write { ... }",
        '--set: found "epochs", expected NAME=value; write epochs=value',
    ]


def test_texts_must_be_there_and_in_the_archive(tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a", config="../../x.json", environment="config/enviroment.json")
    first, second = lines(caught.value)
    assert 'found the path "../../x.json", which leaves the archive' in first
    assert second == (
        "config/enviroment.json: found no such file, expected a JSON file; write environment.json (did you "
        "mean this one?)"
    )


def test_a_config_may_be_named_by_its_absolute_path(tmp_path: Path) -> None:
    make(tmp_path / "a")
    plan = plan_training(tmp_path / "a", config=tmp_path / "a" / "config" / "config_train.json")
    assert plan.loss.file == "config/config_train.json"


@pytest.mark.parametrize("key", ["__model", "__search", "___search"])
def test_keys_that_begin_with_two_underscores_are_not_read(tmp_path: Path, key: str) -> None:
    parts = changed(TRAIN, train__model={**TRAIN["train"]["model"], key: "{UNSET}"}, train__loss__args={key: "{UNSET}"})
    plan = plan_training(make(tmp_path / "a", train={**parts, key: {"name": "{UNSET}"}}))
    assert plan.warnings == ()
    assert key not in plan.raw
    assert set(plan.raw["train"]["model"]) == {"name", "args"}
    assert plan.loss.args == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"epochs": None, "_epochs": 3},
            "_epochs: found the key _epochs, expected a key that is read here; write epochs (did you mean this?)",
        ),
        (
            {"train__loss": {"_name": "Dice"}},
            "train.loss._name: found the key _name, expected a key that is read here; write name (did you mean this?)",
        ),
    ],
)
def test_a_key_with_one_underscore_where_no_component_is_named_is_judged_as_any_other(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    (found,) = faults(tmp_path / "a", **changes)
    assert found.startswith(message)


def test_a_key_with_one_underscore_at_the_top_is_a_warning(tmp_path: Path) -> None:
    plan = training(tmp_path / "a", _epochs=3)
    assert [warning.key for warning in plan.warnings] == ["_epochs"]


def test_keys_with_one_underscore_in_a_component_are_not_read(tmp_path: Path) -> None:
    model = {**TRAIN["train"]["model"], "_note": "{UNSET}", "_name": "Unet"}
    plan = training(tmp_path / "a", train__model=model, train__loss__args={"_smooth": 3, "_x": {"y": "{UNSET}"}})
    assert plan.warnings == ()
    assert plan.loss.args == {}
    assert set(plan.raw["train"]["model"]) == {"name", "args"}


def test_keys_with_one_underscore_deep_in_arguments_are_not_read(tmp_path: Path) -> None:
    monai = {"path": "monai.transforms.Flipd", "arguments": {"keys": "image", "_keys": "x"}}
    plan = training(tmp_path / "a", train__pre_transforms__4={"name": "MonaiTransform", "args": monai})
    assert plan.pre_transforms[4].args["arguments"] == {"keys": "image"}


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"train": 3}, ['train: found 3, expected an object; write "train": { ... }']),
        ({"train": None}, ['train: found nothing, expected the section train; write "train": { ... }']),
        (
            {"train": None, "tran": TRAIN["train"]},
            ["tran: found the key tran, expected a key that is read here; write train (did you mean this?)"],
        ),
        (
            {"train__loss": None, "train__lss": {"name": "Dice"}},
            ["train.lss: found the key lss, expected a key that is read here; write loss (did you mean this?)"],
        ),
        (
            {"train__loss": None, "train__model": None, "train__image_pipeline": None},
            [
                'train.loss: found nothing, expected a loss; write "loss": {"name": "...", "args": {}}',
                'train.model: found nothing, expected a model; write "model": {"name": "...", "args": {}}',
                (
                    'train.image_pipeline: found nothing, expected an image pipeline; write "image_pipeline": '
                    '{"name": "...", "args": {}}'
                ),
            ],
        ),
        (
            {"train__handlers": {"name": "StatsHandler"}},
            ['train.handlers: found {"name": "StatsHandler"}, expected a list of components; write [ ... ] around it'],
        ),
        ({"train__handlers": "x"}, ['train.handlers: found "x", expected a list of components; write []']),
        (
            {"train__loss": [{"name": "Dice"}, {"name": "Focal"}]},
            [
                (
                    'train.loss: found 2 enabled of 2, expected exactly one that is not disabled; write "disabled": '
                    "true in all others"
                )
            ],
        ),
        (
            {"train__loss": [{"name": "Dice", "disabled": True}]},
            [
                (
                    'train.loss: found 0 enabled of 1, expected exactly one that is not disabled; write "disabled": '
                    "true in all others"
                )
            ],
        ),
    ],
)
def test_what_is_wrong_with_sections_and_slots(tmp_path: Path, changes: dict[str, Any], messages: list[str]) -> None:
    found = faults(tmp_path / "a", **changes)
    relevant = [line for line in found if not line.startswith("validate.")]
    assert relevant == messages


def test_a_list_with_one_enabled_member_is_that_member(tmp_path: Path) -> None:
    losses = [
        {"name": "Zzz", "disabled": True},
        {"name": "Focal", "apply": {"x": 1}},
        {"name": "Dice", "disabled": "true"},
    ]
    plan = training(
        tmp_path / "a",
        train__loss=losses,
        train__optimizer=[{"name": "NovoGrad"}],
        train__lr_policy=[{"name": "ReducePoly", "disabled": True}],
    )
    assert (plan.loss.name, plan.loss.where) == ("Focal", "train.loss[1]")
    assert plan.optimizer.name == "NovoGrad"
    assert plan.lr_policy is None


@pytest.mark.parametrize(
    ("switches", "name", "taken"),
    [
        ([{}, {}, {}], "Zzz", None),
        ([{"disabled": True}, {}, {}], "Focal", "train.loss[1]"),
        ([{"disabled": True}, {}, {"disabled": True}], "Focal", "train.loss[1]"),
    ],
)
def test_of_those_among_which_automl_would_choose_the_first_is_taken(
    tmp_path: Path, switches: list[dict[str, Any]], name: str, taken: str | None
) -> None:
    apply = {"apply": {"@disabled": "alias"}}
    losses = [{"name": one, **apply, **more} for one, more in zip(("Zzz", "Focal", "Dice"), switches, strict=True)]
    if taken is None:
        (message, *_) = faults(tmp_path / "a", train__loss=losses)
        assert message.startswith(f'train.loss[0].name: found "{name}"')
        return
    plan = training(tmp_path / "a", train__loss=losses)
    assert (plan.loss.name, plan.loss.where) == (name, taken)
    told = [str(warning) for warning in plan.warnings]
    enabled = sum("disabled" not in more for more in switches)
    expected = f"train.loss: found {enabled} enabled of 3, as AutoML is to choose"
    assert [expected in line for line in told] == ([True] if enabled > 1 else [])


def test_of_those_that_automl_would_all_have_switched_off_the_first_is_taken(tmp_path: Path) -> None:
    search = {"search": [{"args": ["@disabled"], "targets": [[True], [False]]}]}
    optimizers = [{"name": name, "disabled": True, **search} for name in ("NovoGrad", "Adam")]
    plan = training(tmp_path / "a", train__optimizer=optimizers)
    assert plan.optimizer.name == "NovoGrad"
    (warning,) = plan.warnings
    assert (warning.found, warning.expected) == (
        "0 enabled of 2, as AutoML is to choose",
        "exactly one that is not disabled (train.optimizer[0] is taken)",
    )


def test_a_switch_that_is_not_set_does_not_hide_its_fault(tmp_path: Path) -> None:
    losses = [{"name": "Focal"}, {"name": "Dice", "disabled": "{OFF}"}]
    assert "found the variable {OFF}, which is not set" in "\n".join(faults(tmp_path / "a", train__loss=losses))


def test_the_raw_config_is_the_one_that_holds(tmp_path: Path) -> None:
    make(tmp_path / "a", train=changed(TRAIN, search=[1]))
    plan = plan_training(tmp_path / "a", overrides=["epochs=3"])
    assert plan.raw["epochs"] == 3
    assert "search" not in plan.raw
    args = plan.raw["train"]["image_pipeline"]["args"]
    assert args["data_list_file_path"] == str(tmp_path / "a" / "config" / "dataset.json")
