"""ComputeAccuracy: counted by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.aux_ops.compute_accuracy import ComputeAccuracy
from vesalia.errors import ConfigError

LOSS = torch.tensor(0.0)


def accuracy(found: list[list[float]], target: list[list[float]], **args: bool | list[int]) -> float:
    op = ComputeAccuracy("accuracy", **args)  # type: ignore[arg-type]
    values = op(probabilities=torch.tensor(found), target=torch.tensor(target), loss=LOSS)
    return float(values["accuracy"])


def test_the_largest_channel_decides_a_class() -> None:
    assert accuracy([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]], [[1], [2]]) == 0.5


@pytest.mark.parametrize("use_sigmoid", [True, False])
def test_each_binary_label_is_decided_at_a_half(*, use_sigmoid: bool) -> None:
    found = [[0.9, 0.1, 0.6], [0.4, 0.7, 0.2]]
    assert accuracy(found, [[1, 0, 0], [0, 1, 0.8]], use_sigmoid=use_sigmoid) == pytest.approx(4 / 6)


def test_mixed_labels() -> None:
    assert accuracy([[0.9, 0.2, 0.8], [0.9, 0.9, 0.1]], [[1, 1], [0, 0]], label_format=[1, 2]) == 0.75


def test_voxels_are_counted_as_well() -> None:
    found = torch.zeros(1, 2, 2, 2)
    found[:, 1, 0] = 1
    target = torch.tensor([[[[1, 0], [0, 0]]]])
    assert float(ComputeAccuracy("a")(probabilities=found, target=target, loss=LOSS)["a"]) == 0.75


def test_its_tag() -> None:
    op = ComputeAccuracy("a", do_summary=False)
    assert (op.tags(), op.do_summary) == (("a",), False)


def test_labels_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="label_format: found"):
        accuracy([[0.9, 0.1, 0.6]], [[1]], use_sigmoid=True)
