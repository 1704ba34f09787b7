"""Scores: what metrics are given, what is kept, and how it is summed up."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vesalia.components.metrics.base import Metric, SubjectScore, spacing_of
from vesalia.components.metrics.compute_auc import ComputeAUC
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.scores import class_labels, field_tensors, ranking_metric, score_subject, summarise
from vesalia.testing.label_metrics import judged


class Mean(Metric):
    """The mean of a field, one class per channel."""

    def __init__(self, name: str, *, key: bool = False, refuses: bool = False) -> None:
        super().__init__(name, is_key_metric=key)
        self.refuses = refuses

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """Judge one subject."""
        if self.refuses:
            raise DataError(f"{subject}: cannot be judged")
        channels = fields["model"].flatten(1).mean(1)
        return SubjectScore(subject, float(channels.mean()), tuple(channels.tolist()))


def sample(value: float = 0.5) -> Sample:
    return Sample({"model": Volume(torch.full((2, 3, 3, 3), value), channel="first")}, name="a")


def test_fields_have_a_channel_axis_in_front() -> None:
    volumes = {
        "none": Volume(torch.zeros(2, 3, 4)),
        "last": Volume(torch.zeros(2, 3, 4, 5), channel="last"),
        "batch": Volume(torch.zeros(1, 5, 2, 3, 4), channel="first", batched=True),
    }
    shapes = {name: tuple(data.shape) for name, data in field_tensors(Sample(volumes)).items()}
    assert shapes == {"none": (1, 2, 3, 4), "last": (5, 2, 3, 4), "batch": (5, 2, 3, 4)}


def test_fields_know_their_spacing() -> None:
    volume = Volume(torch.zeros(2, 3, 4), np.diag([2.0, 0.5, 3.0, 1.0]))
    assert spacing_of(field_tensors(Sample({"label": volume})), "label") == (2.0, 0.5, 3.0)


def test_scores_are_kept_in_the_metrics() -> None:
    metric = Mean("m")
    assert score_subject([metric], sample(0.25))["m"].value == 0.25
    assert [score.subject for score in metric.scores] == ["a"]


def test_a_subject_that_one_metric_refuses_is_in_none() -> None:
    first, second = Mean("m"), Mean("n", refuses=True)
    with pytest.raises(DataError, match="a: cannot be judged"):
        score_subject([first, second], sample())
    assert first.scores == []


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (3, ("background", "head", "tail")),
        (2, ("head", "tail")),
        (4, ("class 1", "class 2", "class 3", "class 4")),
        (0, ()),
    ],
)
def test_class_labels(count: int, expected: tuple[str, ...]) -> None:
    assert class_labels(count, ("background", "head", "tail")) == expected


def test_summary_by_class() -> None:
    metric = Mean("m")
    metric.scores = [
        SubjectScore("a", 0.5, (0.25, 0.75)),
        SubjectScore("b", 0.7, (math.nan, 0.7)),
        SubjectScore("c", math.nan),
    ]
    summary = summarise(metric, ("background", "head", "tail"))
    assert summary.overall.mean == pytest.approx(0.6)
    assert summary.overall.count == 2
    assert list(summary.per_class) == ["head", "tail"]
    assert (summary.per_class["head"].mean, summary.per_class["head"].count) == (0.25, 1)


def test_ranking_metric_is_the_key_or_the_first() -> None:
    assert ranking_metric([Mean("a"), Mean("b", key=True)]) == "b"
    assert ranking_metric([Mean("a"), Mean("b")]) == "a"
    assert ranking_metric([]) is None
    distance = Mean("distance")
    distance.larger_is_better = False
    assert ranking_metric([distance, Mean("b")]) == "b"
    assert ranking_metric([distance]) is None


def test_a_single_class_is_the_value_itself() -> None:
    metric = Mean("m")
    metric.scores = [SubjectScore("a", 0.5, (0.5,))]
    assert summarise(metric, ("background", "spleen")).per_class == {}


def test_a_pooled_metric_has_one_value_for_all() -> None:
    found, wanted = torch.tensor([[0.9, 0.1], [0.2, 0.3], [0.4, 0.2]]), torch.tensor([[1, 0], [0, 1], [0, 0]])
    summary = summarise(judged(ComputeAUC("auc", "model"), found, wanted=wanted), ("nodule", "effusion"))
    assert summary.is_pooled
    assert (summary.overall.mean, summary.overall.count) == (1.0, 3)
    assert math.isnan(summary.overall.median)
    assert {name: one.mean for name, one in summary.per_class.items()} == {"nodule": 1.0, "effusion": 1.0}


def test_one_channel_has_no_row_of_its_own() -> None:
    metric = judged(ComputeAUC("auc", "model"), torch.tensor([[0.9], [0.2]]), wanted=torch.tensor([[1], [0]]))
    assert summarise(metric, ("nodule",)).per_class == {}
