"""The Keras variant of the segmentation pipeline: the plain one, and epochs drawn by category."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipelines.fakes import Load, data_folder
from tests.pipelines.pipeline_schemas import SAMPLING, drawn, make, shared_defaults, vector_list
from vesalia.errors import DataError
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_keras import SegmentationKerasImagePipeline


def test_what_is_shared_has_the_same_defaults() -> None:
    assert shared_defaults(SegmentationKerasImagePipeline, SegmentationImagePipeline) == SAMPLING


def test_without_sampling_it_is_the_plain_pipeline(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [0, 1, 1, 0, 1])
    plain, keras = (make(kind, file) for kind in (SegmentationImagePipeline, SegmentationKerasImagePipeline))
    assert drawn(plain) == drawn(keras)


def test_entries_say_their_category(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [0, 0], category=1)
    pipeline = make(SegmentationKerasImagePipeline, file, items_per_category=[3, 5], multiprocessing=True)
    assert sorted(drawn(pipeline)) == ["c0"] * 4 + ["c1"] * 4


def test_entries_without_a_category_are_named(tmp_path: Path) -> None:
    pipeline = make(SegmentationKerasImagePipeline, data_folder(tmp_path, 2), items_per_category=3)
    with pytest.raises(DataError, match=r"c0: category: found no category"):
        pipeline.bind(transforms=[Load()], seed=0)
