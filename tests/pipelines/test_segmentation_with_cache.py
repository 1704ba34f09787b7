"""The pipeline with a cache: v3's arguments, and the same shared ones as the plain pipeline."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.fakes import Load, Noise, data_folder
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache


def loads(folder: Path, **args: Any) -> list[str]:
    file, load = data_folder(folder, 4), Load()
    values: dict[str, Any] = {"data_list_key": "training", "output_crop_size": (4, 4, 4), "num_workers": 0, **args}
    bound = SegmentationImagePipelineWithCache(str(file), str(folder), **values).bind(
        transforms=[load, Noise()], seed=1
    )
    for epoch in range(3):
        list(bound.epoch(epoch))
    return sorted(load.loaded)


def test_what_is_shared_has_the_same_defaults() -> None:
    plain = inspect.signature(SegmentationImagePipeline.__init__).parameters
    cached = inspect.signature(SegmentationImagePipelineWithCache.__init__).parameters
    assert {name: cached[name] for name in plain} == dict(plain)
    of_cache = {"num_cache_objects", "replace_percent", "caches_data"}
    of_cache |= {"cache_budget_gb", "cache_dtype", "cache_device"}
    assert cached.keys() - plain.keys() == of_cache


def test_shared_values_arrive() -> None:
    values: dict[str, Any] = {
        "data_list_key": "k", "output_crop_size": (1, 2, 3), "output_batch_size": 2, "batched_by_transforms": True,
        "num_workers": 3, "prefetch_size": 5, "output_image_channels": 2, "output_label_channels": 3,
        "output_data_format": "channels_last", "output_data_dims": 2, "output_image_dtype": "float16",
        "shuffle": False, "repeat": False, "duplicate_count": 2,
    }  # fmt: skip
    plain = SegmentationImagePipeline("l", "d", **values)
    cached = SegmentationImagePipelineWithCache("l", "d", **values, num_cache_objects=1, replace_percent=0.0)
    shared = vars(plain)
    assert {name: vars(cached)[name] for name in shared} == shared


def test_each_item_is_loaded_once(tmp_path: Path) -> None:
    assert loads(tmp_path, num_cache_objects=4, replace_percent=0.0) == ["c0", "c1", "c2", "c3"]


@pytest.mark.parametrize(("part", "expected"), [(0.0, 2), (0.5, 2 + 2), (1.0, 2 + 4)])
def test_replace_percent_is_a_fraction(tmp_path: Path, part: float, expected: int) -> None:
    assert len(loads(tmp_path, num_cache_objects=2, replace_percent=part)) == expected


def test_without_caching_it_is_the_plain_pipeline(tmp_path: Path) -> None:
    assert len(loads(tmp_path, num_cache_objects=2, replace_percent=0.0, caches_data=False)) == 12
