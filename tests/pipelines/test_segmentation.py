"""The plain pipeline: v3's arguments and defaults, everything made anew in each epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.fakes import Load, Noise, data_folder
from vesalia.pipelines.segmentation import SegmentationImagePipeline


def test_v3_defaults() -> None:
    pipeline = SegmentationImagePipeline("l.json", "d", data_list_key="training", output_crop_size=[96, 96, 96])
    how = pipeline.settings
    assert (how.output_batch_size, how.batched_by_transforms, how.num_workers, how.prefetch_size) == (10, False, 4, 20)
    assert (how.output_image_dtype, how.shuffle, how.duplicate_count) == ("float32", True, 1)
    assert (pipeline.output_image_channels, pipeline.output_label_channels) == (1, 1)
    assert (pipeline.output_data_format, pipeline.output_data_dims) == ("channels_first", 3)
    assert pipeline.output_crop_size == (96, 96, 96)


@pytest.mark.parametrize("declared", [(-1, -1, -1), (2, 2, 2)])
def test_output_crop_size_does_not_crop(tmp_path: Path, declared: tuple[int, ...]) -> None:
    file = data_folder(tmp_path, 2)
    pipeline = SegmentationImagePipeline(
        str(file), str(tmp_path), data_list_key="training", output_crop_size=declared, num_workers=0
    )
    (batch,) = pipeline.bind(transforms=[Load(), Noise()], seed=1).epoch(0)
    assert batch.fields["image"].shape == (2, 1, 4, 4, 4)


def test_every_epoch_loads_anew(tmp_path: Path) -> None:
    file, load = data_folder(tmp_path, 2), Load()
    pipeline = SegmentationImagePipeline(
        str(file), str(tmp_path), data_list_key="training", output_crop_size=(4, 4, 4), num_workers=0
    )
    bound = pipeline.bind(transforms=[load, Noise()], seed=1)
    for epoch in range(3):
        list(bound.epoch(epoch))
    assert sorted(load.loaded) == ["c0"] * 3 + ["c1"] * 3
