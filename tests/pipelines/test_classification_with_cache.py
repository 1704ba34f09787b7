"""The cached classification pipeline: each image is loaded once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from tests.pipelines.pipeline_schemas import CACHE, LoadFlat, make, shared_defaults, vector_list
from vesalia.pipelines.classification import ClassificationImagePipeline
from vesalia.pipelines.classification_with_cache import ClassificationImagePipelineWithCache


def test_what_is_shared_has_the_same_defaults() -> None:
    assert shared_defaults(ClassificationImagePipelineWithCache, ClassificationImagePipeline) == CACHE


def test_each_image_is_loaded_once(tmp_path: Path) -> None:
    file, load = vector_list(tmp_path, [[0], [1]]), LoadFlat()
    with make(ClassificationImagePipelineWithCache, file, output_label_format=[1]).bind(
        transforms=[load], seed=1
    ) as bound:
        rows = [row for epoch in range(3) for batch in bound.epoch(epoch) for row in batch.fields["label"].tolist()]
    assert (sorted(load.loaded), sorted(rows)) == (["c0", "c1"], [[0]] * 3 + [[1]] * 3)
