"""ComputeBinaryPreds: fields for metrics."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.aux_ops.compute_binary_preds import ComputeBinaryPreds
from vesalia.components.metrics.compute_auc import ComputeAUC
from vesalia.errors import DataError

LOSS = torch.tensor(0.0)


def test_metrics_read_what_they_would_of_the_network() -> None:
    op = ComputeBinaryPreds("found", binary_labels_name="true")
    one, other = ComputeAUC("a", "found", label_field="true"), ComputeAUC("b", "model", label_field="label")
    random = torch.Generator().manual_seed(0)
    for number in range(12):
        probabilities = torch.rand(1, 3, generator=random)
        target = torch.tensor([[number % 2, number % 3 == 0, number > 5]]).float()
        fields = op(probabilities=probabilities, target=target, loss=LOSS)
        assert sorted(fields) == sorted(op.tags())
        one.update(str(number), fields)
        other.update(str(number), {"model": probabilities[0], "label": target[0]})
    assert one.compute() == other.compute() != 0.5


def test_it_gives_fields_and_no_curve() -> None:
    assert ComputeBinaryPreds.per_subject
    assert ComputeBinaryPreds().tags() == ("binary_preds", "binary_labels")


def test_volumes_are_no_vectors() -> None:
    with pytest.raises(DataError, match="expected a vector of numbers per image"):
        ComputeBinaryPreds()(probabilities=torch.zeros(1, 2, 4, 4), target=torch.zeros(1, 2), loss=LOSS)
