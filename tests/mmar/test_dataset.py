"""The data list is there, is JSON, and has the list that is asked for; images are not looked at."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mmar.archives import TRAIN, changed, lines, make
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_training

PIPELINE = "train.image_pipeline.args"


def faults(root: Path, dataset: object, *overrides: str) -> list[str]:
    make(root)
    (root / "config" / "dataset.json").write_text(dataset if isinstance(dataset, str) else json.dumps(dataset))
    with pytest.raises(ConfigError) as caught:
        plan_training(root, overrides=overrides)
    return lines(caught.value)


@pytest.mark.parametrize(
    ("dataset", "messages"),
    [
        ("{", ["config/dataset.json: line 1, column 2: found the end of the file"]),
        ([], ["config/dataset.json: found [], expected an object with lists such as training"]),
        (
            {"training": [{"image": "a"}], "validatoin": [{"image": "a"}]},
            [
                (
                    'config/config_train.json: validate.image_pipeline.args.data_list_key: found "validation", '
                    'expected a list of config/dataset.json (training, validatoin); write "validatoin" '
                    "(did you mean this?)"
                )
            ],
        ),
        (
            {"training": [], "validation": {"image": "a"}},
            [
                "config/dataset.json: training: found an empty list, expected at least one item",
                'config/dataset.json: validation: found {"image": "a"}, expected a list of items',
            ],
        ),
        (
            {},
            [
                (
                    f'config/config_train.json: {PIPELINE}.data_list_key: found "training", expected a list of '
                    "config/dataset.json (it has none); write one of these, or add the list to the file"
                ),
                "config/config_train.json: validate.image_pipeline.args.data_list_key",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_list(tmp_path: Path, dataset: object, messages: list[str]) -> None:
    found = faults(tmp_path / "a", dataset)
    assert len(found) == len(messages)
    for line, message in zip(found, messages, strict=True):
        assert line.startswith(message)


def test_a_missing_list_is_told_once_and_where_it_was_named(tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a", overrides=["DATASET_JSON=/none.json"])
    assert lines(caught.value) == [
        (
            '--set: DATASET_JSON: found "/none.json", which does not exist, expected an existing JSON file; '
            "write the path "
            "of the data list, or --set DATASET_JSON=FILE"
        )
    ]


def test_a_list_named_in_the_config_is_told_there(tmp_path: Path) -> None:
    train = changed(
        TRAIN,
        train__image_pipeline__args__data_list_file_path="none.json",
        validate__image_pipeline__args__data_list_file_path="config/dataset.json",
    )
    make(tmp_path / "a", train=train)
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a")
    assert lines(caught.value)[0].startswith(f"config/config_train.json: {PIPELINE}.data_list_file_path: found")


def test_a_missing_data_folder_is_told_once(tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(ConfigError) as caught:
        plan_training(tmp_path / "a", overrides=["DATA_ROOT=/none"])
    assert lines(caught.value) == [
        (
            '--set: DATA_ROOT: found "/none", which does not exist, expected an existing folder; write the '
            "folder with the "
            "images, or --set DATA_ROOT=FOLDER"
        )
    ]


@pytest.mark.parametrize("image", ["/abs/a.nii.gz", ["/abs/a.nii.gz"], [], 3])
def test_absolute_images_need_no_data_folder(tmp_path: Path, image: object) -> None:
    make(tmp_path / "a")
    dataset = {"training": [{"image": image}, "odd"], "validation": [{"image": image}]}
    (tmp_path / "a" / "config" / "dataset.json").write_text(json.dumps(dataset))
    assert plan_training(tmp_path / "a", overrides=["DATA_ROOT=/none"]).epochs == 10


def test_a_list_outside_the_archive_is_fine(tmp_path: Path) -> None:
    make(tmp_path / "a")
    (tmp_path / "list.json").write_text('{"training": [{"image": ["/x"]}], "validation": [{"image": ["x", "y"]}]}')
    plan = plan_training(tmp_path / "a", overrides=[f"DATASET_JSON={tmp_path / 'list.json'}"])
    assert plan.image_pipeline.args["data_list_file_path"] == str(tmp_path / "list.json")
    assert plan.image_pipeline.args["data_file_base_dir"] == str(tmp_path / "a" / "data")
