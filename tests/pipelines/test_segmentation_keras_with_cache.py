"""The Keras variant of the cached segmentation pipeline: a cache, and epochs drawn by category."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from tests.pipelines.pipeline_schemas import CACHE, SAMPLING, LoadFlat, make, shared_defaults, vector_list
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_keras_with_cache import SegmentationKerasImagePipelineWithCache
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache


def test_what_is_shared_has_the_same_defaults() -> None:
    kind = SegmentationKerasImagePipelineWithCache
    assert shared_defaults(kind, SegmentationImagePipeline) == CACHE | SAMPLING
    assert shared_defaults(kind, SegmentationImagePipelineWithCache) == SAMPLING


def test_cached_items_are_drawn_and_loaded_once(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [0, 1, 1, 1])
    pipeline = make(SegmentationKerasImagePipelineWithCache, file, num_cache_objects=3, category_weights=[2.0, 1.0])
    load = LoadFlat()
    with pipeline.bind(transforms=[load], seed=3) as bound:
        taken = [name for epoch in range(3) for batch in bound.epoch(epoch) for name in batch.names]
    assert (sorted(load.loaded), taken.count("c0"), len(taken)) == (["c0", "c1", "c2"], 6, 9)
