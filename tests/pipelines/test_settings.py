"""Settings: values that contradict each other are refused in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.fakes import Load, Noise, data_folder
from vesalia.errors import ConfigError, DataError
from vesalia.pipelines.segmentation import SegmentationImagePipeline


def pipeline(folder: Path, **args: Any) -> SegmentationImagePipeline:
    values: dict[str, Any] = {"data_list_key": "training", "output_crop_size": (4, 4, 4), "num_workers": 0, **args}
    return SegmentationImagePipeline(str(folder / "list.json"), str(folder), **values)


def test_batch_size_0_is_for_batches_by_transforms(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="output_batch_size: found 0, expected 1 or more"):
        pipeline(tmp_path, output_batch_size=0)
    assert pipeline(tmp_path, output_batch_size=0, batched_by_transforms=True).settings.output_batch_size == 0


def test_image_dtype(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='output_image_dtype: found "int3", expected one of float16'):
        pipeline(tmp_path, output_image_dtype="int3")
    data_folder(tmp_path, 2)
    bound = pipeline(tmp_path, output_image_dtype="float16").bind(transforms=[Load()], seed=1)
    assert next(bound.epoch(0)).fields["image"].dtype == torch.float16


def test_the_list_is_read_when_it_is_needed(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    with pytest.raises(DataError, match="found no such file"):
        made.bind(transforms=[Load()], seed=1)
    data_folder(tmp_path, 3)
    assert len(made.datalist.items) == 3
    assert made.datalist is made.datalist


def test_duplicates_are_items(tmp_path: Path) -> None:
    data_folder(tmp_path, 3)
    bound = pipeline(tmp_path, duplicate_count=2, output_batch_size=4).bind(transforms=[Load(), Noise()], seed=1)
    assert (bound.items, bound.steps_per_epoch) == (6, 2)
    batches = list(bound.epoch(0))
    names = [name for batch in batches for name in batch.names]
    assert sorted(names) == ["c0", "c0_2", "c1", "c1_2", "c2", "c2_2"]
    rows = {name: row for batch in batches for name, row in zip(batch.names, batch.fields["image"], strict=True)}
    assert not torch.equal(rows["c0"], rows["c0_2"])
