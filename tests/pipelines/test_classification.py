"""The plain classification pipeline: label vectors arrive as ``[B, n]``, and are judged by their format."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.pipelines.pipeline_schemas import LoadFlat, make, shared_defaults, vector_list
from vesalia.errors import DataError
from vesalia.pipelines.classification import ClassificationImagePipeline
from vesalia.pipelines.segmentation import SegmentationImagePipeline


def test_v3_defaults_are_those_of_segmentation() -> None:
    assert shared_defaults(ClassificationImagePipeline, SegmentationImagePipeline) == {"output_label_format"}


def test_a_batch_has_images_and_label_vectors(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [[0, 2], [1, 0], [1, 1]])
    pipeline = make(ClassificationImagePipeline, file, output_label_format=[1, 3], shuffle=False)
    (batch,) = pipeline.bind(transforms=[LoadFlat()], seed=1, num_classes=4).epoch(0)
    assert batch.fields["image"].shape == (3, 1, 4, 3)
    assert batch.fields["label"].tolist() == [[0, 2], [1, 0], [1, 1]]


def test_soft_labels_keep_their_fractions(tmp_path: Path) -> None:
    file = vector_list(tmp_path, [[0.25], [1]])
    pipeline = make(ClassificationImagePipeline, file, output_label_format=[1], shuffle=False, output_batch_size=1)
    labels = torch.cat([b.fields["label"].float() for b in pipeline.bind(transforms=[LoadFlat()], seed=1).epoch(0)])
    assert labels.tolist() == [[0.25], [1.0]]


def test_labels_that_do_not_fit_are_told_at_once(tmp_path: Path) -> None:
    pipeline = make(ClassificationImagePipeline, vector_list(tmp_path, [[0], [0, 4]]), output_label_format=[1, 3])
    with pytest.raises(DataError, match="2 labels do not fit") as caught:
        pipeline.bind(transforms=[LoadFlat()], seed=1)
    assert len(caught.value.faults) == 2


def test_without_a_format_labels_are_taken_as_they_are(tmp_path: Path) -> None:
    pipeline = make(ClassificationImagePipeline, vector_list(tmp_path, [7, 3]))
    (batch,) = pipeline.bind(transforms=[LoadFlat()], seed=1).epoch(0)
    assert sorted(batch.fields["label"].flatten().tolist()) == [3, 7]
