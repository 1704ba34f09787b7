"""Data set and loader become an image pipeline: what is in an epoch stays what it was."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import data, loader, part
from vesalia.mmar.v4.data import translate_data
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.networks import Network

FOUND = {
    "data_list_file_path": "{DATASET_JSON}",
    "data_file_base_dir": "{DATA_ROOT}",
    "data_list_key": "training",
    "output_crop_size": [-1, -1, -1],
    "output_image_channels": 1,
    "output_data_dims": 3,
    "output_batch_size": 1,
    "num_workers": 0,
    "shuffle": False,
}


def pipeline(
    dataset: Any, dataloader: Any = None, *, draft: Draft | None = None, items: int | None = 10, **more: Any
) -> dict[str, Any]:
    section = {"dataset": dataset, "dataloader": dataloader}
    how = {"network": Network(), "crop": None, **more}
    where = how.pop("where", "train")
    return translate_data(section, where, draft=draft or Draft("c"), count=lambda *_: items, **how)


def test_a_plain_data_set() -> None:
    assert pipeline(data("training", "Dataset")) == {"name": "SegmentationImagePipeline", "args": FOUND}


def test_lists_may_stand_among_the_arguments_or_nowhere() -> None:
    inside = part("Dataset", data_list_file_path="a.json", data_file_base_dir="b", data_list_key="c")
    args = pipeline(inside)["args"]
    assert [args[name] for name in list(FOUND)[:3]] == ["a.json", "b", "c"]
    assert pipeline(part("Dataset"))["args"] == FOUND
    assert pipeline(part("Dataset"), where="validate")["args"]["data_list_key"] == "validation"


def test_the_loader_says_how_and_the_model_what() -> None:
    args = pipeline(
        part("Dataset"),
        loader(3, shuffle=True, pin_memory=True),
        network=Network(channels=4, dims=2),
        crop=[8, 8],
    )["args"]
    wanted = {"output_batch_size": 3, "shuffle": True, "output_image_channels": 4, "output_data_dims": 2}
    assert {**args, **wanted, "output_crop_size": [8, 8]} == args


def test_what_the_loader_says_in_vain_is_noted() -> None:
    draft = Draft("c")
    pipeline(part("Dataset"), loader(drop_last=True, sampler=3), draft=draft)
    assert draft.notes[:2] == [
        "train.dataloader.args.drop_last -> nothing (an epoch uses every item)",
        "train.dataloader.args.sampler -> nothing",
    ]


@pytest.mark.parametrize(
    ("args", "items", "objects"),
    [
        ({}, 10, 1_000_000_000),
        ({"cache_num": 12}, 10, 12),
        ({"cache_num": 10, "cache_rate": 1.0}, 10, 10),
        ({"cache_num": 3}, None, 3),
        ({"cache_num": 3}, 10, None),
        ({"cache_rate": 0.5}, 10, None),
    ],
)
def test_a_cache_of_everything_is_a_cache_and_any_other_none(
    args: dict[str, Any], items: int | None, objects: int | None
) -> None:
    found = pipeline(part("CacheDataset", **args), items=items)
    assert found["args"].get("num_cache_objects") == objects
    assert found["args"].get("replace_percent", 0.0) == 0.0
    assert found["name"].endswith("WithCache") == (objects is not None)


def test_a_moving_cache_moves() -> None:
    draft = Draft("c")
    found = pipeline(part("SmartCacheDataset", cache_num=8, cache_rate=0.5, replace_rate=0.25), draft=draft)
    assert (found["args"]["num_cache_objects"], found["args"]["replace_percent"]) == (5, 0.25)
    key = "train.image_pipeline.args.replace_percent"
    assert draft.places.of(key) == "train.dataset.args.replace_rate"


def test_what_is_no_data_set_is_told() -> None:
    draft = Draft("c")
    pipeline(part("CacheDatset"), draft=draft)
    pipeline({"path": "mine.Dataset"}, draft=draft)
    translate_data({}, "train", draft=draft, network=Network(), crop=None, count=lambda *_: None)
    pipeline({"name": "Dataset", "disabled": True}, draft=draft)
    assert [str(fault).partition(", expected")[0] for fault in draft.faults] == [
        'c: train.dataset.name: found "CacheDatset"',
        'c: train.dataset.name: found "Dataset"',
        "c: train.dataset: found nothing",
    ]
