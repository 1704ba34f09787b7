"""The network as a training step calls it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.training.bench import tiny
from vesalia.components.models.base import Model, Trained
from vesalia.training.trainee import Trainee


class Own(Model):
    """A network with a loss of its own."""

    def __init__(self) -> None:
        super().__init__(1, in_channels=1, final_activation="linear", reg_weight=0.5)
        self.kernel = torch.nn.Parameter(torch.tensor([[2.0]]))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, 1]``."""
        return image @ self.kernel

    def forward(self, image: torch.Tensor) -> Trained:
        """With a loss of 7."""
        return Trained(self.logits(image), torch.tensor(7.0), (image,), (0.5, 0.5))


def test_regularisation_is_part_of_the_forward_pass() -> None:
    output = Trainee(Own())(torch.ones(3, 1))
    assert float(output.own_loss.detach()) == 7.0 + 0.5 * 2.0**2 / 2
    assert output.probabilities.shape == (3, 1)
    assert (len(output.deeper), output.weights) == (1, (0.5, 0.5))


def test_a_network_without_any_adds_nothing() -> None:
    model = tiny()
    image = torch.rand(1, 1, 4, 4, 4)
    output = Trainee(model)(image)
    assert float(output.own_loss) == 0.0
    assert torch.equal(output.probabilities, model(image))


def test_the_loss_sees_float32_whatever_the_network_computes_in() -> None:
    model = tiny(reg_weight=0.1)
    image = torch.rand(1, 1, 4, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert model.logits(image).dtype == torch.bfloat16
        output = Trainee(model)(image)
    assert (output.probabilities.dtype, output.own_loss.dtype) == (torch.float32, torch.float32)
