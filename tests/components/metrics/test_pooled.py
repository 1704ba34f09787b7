"""Metrics over label vectors: what a subject adds."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.metrics.compute_auc import ComputeAUC


def test_what_a_subject_adds() -> None:
    metric = ComputeAUC("auc", "model", label_format=[1, 2])
    score = metric.update("a", {"model": torch.tensor([0.5, 0.25, 0.75]), "label": torch.tensor([1.0, 0.0])})
    assert list(score.pooled) == [0.5, 0.25, 0.75, 1, 1, 0]
    assert metric.heads == (1, 2)


def test_soft_labels_are_true_above_a_half() -> None:
    metric = ComputeAUC("auc", "model")
    for number, label in enumerate((0.4, 0.6)):
        metric.update(str(number), {"model": torch.tensor([float(number)]), "label": torch.tensor([label])})
    assert metric.compute() == 1.0
