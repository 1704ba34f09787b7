"""The loss of several outputs is the weighted sum of their losses."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.training.fakes import MeanSquare
from vesalia.components.models.base import Trained
from vesalia.errors import ConfigError
from vesalia.training.supervision import supervised_loss


def outputs(*edges: int) -> list[torch.Tensor]:
    """Probabilities of two classes on cubes of several sizes."""
    dice = torch.Generator().manual_seed(1)
    return [torch.rand(2, 2, edge, edge, edge, generator=dice) for edge in edges]


def label(edge: int) -> torch.Tensor:
    """A label of noise."""
    return torch.randint(0, 2, (2, 1, edge, edge, edge), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)


def test_one_output_is_judged_as_before() -> None:
    (output,) = outputs(8)
    found = supervised_loss(MeanSquare(), Trained(output, torch.zeros(())), target=label(8))
    assert torch.equal(found, MeanSquare()(output, label(8)))


def test_each_level_counts_half_as_much_and_all_together_one() -> None:
    fine, middle, coarse = outputs(8, 4, 2)
    found = supervised_loss(MeanSquare(), Trained(fine, torch.zeros(()), (middle, coarse)), target=label(8))
    losses = [
        (each[:, 1:] - label(8)[:, :, at::step, at::step, at::step].float()).square().mean()
        for each, step, at in ((fine, 1, 0), (middle, 2, 1), (coarse, 4, 2))
    ]
    torch.testing.assert_close(found, 4 / 7 * losses[0] + 2 / 7 * losses[1] + 1 / 7 * losses[2])


def test_an_output_on_the_labels_grid_needs_no_other_label() -> None:
    one, two = outputs(4, 4)
    found = supervised_loss(MeanSquare(), Trained(one, torch.zeros(()), (two,)), target=label(4))
    loss = MeanSquare()
    torch.testing.assert_close(found, (2 * loss(one, label(4)) + loss(two, label(4))) / 3)


def test_a_network_may_bring_weights_of_its_own() -> None:
    one, two = outputs(4, 2)
    given = Trained(one, torch.zeros(()), (two,), weights=(1.0, 0.0))
    torch.testing.assert_close(supervised_loss(MeanSquare(), given, target=label(4)), MeanSquare()(one, label(4)))


def test_weights_that_do_not_fit_are_refused() -> None:
    one, two = outputs(4, 2)
    with pytest.raises(ConfigError, match="found 1 weights of outputs, expected 2"):
        supervised_loss(MeanSquare(), Trained(one, torch.zeros(()), (two,), weights=(1.0,)), target=label(4))
