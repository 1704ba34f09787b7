"""The Keras variant of the classification pipeline: epochs drawn by what the labels say."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from tests.pipelines.pipeline_schemas import SAMPLING, LoadFlat, drawn, make, shared_defaults, vector_list
from vesalia.pipelines.classification import ClassificationImagePipeline
from vesalia.pipelines.classification_keras import ClassificationKerasImagePipeline


def test_what_is_shared_has_the_same_defaults() -> None:
    assert shared_defaults(ClassificationKerasImagePipeline, ClassificationImagePipeline) == SAMPLING


def test_rare_classes_are_drawn_as_often_as_common_ones(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [[0], [0], [0], [0], [1], [2]])
    pipeline = make(ClassificationKerasImagePipeline, file, output_label_format=[3], items_per_category=4)
    assert sorted(drawn(pipeline)) == ["c0", "c1", "c2", "c3"] + ["c4"] * 4 + ["c5"] * 4


def test_steps_count_what_is_drawn(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [[0], [1]])
    pipeline = make(ClassificationKerasImagePipeline, file, items_per_category=5, output_batch_size=4)
    bound = pipeline.bind(transforms=[LoadFlat()], seed=1)
    assert (bound.items, bound.steps_per_epoch, len(list(bound.epoch(0)))) == (10, 3, 3)


def test_a_resumed_epoch_goes_on_with_the_same_draw(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [[0], [1], [1], [0], [1]])
    bound = make(ClassificationKerasImagePipeline, file, category_weights=[1, 1], output_batch_size=2).bind(
        transforms=[LoadFlat()], seed=1
    )
    whole, rest = list(bound.epoch(1)), list(bound.epoch(1, done=2))
    assert [batch.names for batch in whole[1:]] == [batch.names for batch in rest]
