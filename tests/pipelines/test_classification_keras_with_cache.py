"""The Keras variant of the cached classification pipeline: only what is cached is drawn."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from tests.pipelines.pipeline_schemas import CACHE, SAMPLING, LoadFlat, make, shared_defaults, vector_list
from vesalia.pipelines.classification import ClassificationImagePipeline
from vesalia.pipelines.classification_keras_with_cache import ClassificationKerasImagePipelineWithCache


def test_what_is_shared_has_the_same_defaults() -> None:
    kind = ClassificationKerasImagePipelineWithCache
    assert shared_defaults(kind, ClassificationImagePipeline) == CACHE | SAMPLING


def test_only_what_is_cached_is_drawn(tmp_path: Path) -> None:
    file, load = vector_list(tmp_path, [[1], [0], [0], [0]]), LoadFlat()
    kind = ClassificationKerasImagePipelineWithCache
    pipeline = make(kind, file, num_cache_objects=3, output_label_format=[1], items_per_category=[1, 3])
    with pipeline.bind(transforms=[load], seed=1) as bound:
        names = [name for batch in bound.epoch(0) for name in batch.names]
    assert (sorted(load.loaded), names.count("c0"), len(names)) == (["c0", "c1", "c2"], 3, 4)
