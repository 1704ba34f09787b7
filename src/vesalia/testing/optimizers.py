"""What every optimizer must do: inherit :class:`OptimizerSuite`, say how yours is made, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn

from vesalia.components.optimizers.base import OptimizerFactory
from vesalia.testing.claims import claim

__all__ = ["OptimizerSuite"]


class OptimizerSuite(ABC):
    """Tests of an optimizer on a bowl whose lowest point is known.

    Attributes:
        learning_rate: One that suits a bowl a few units wide.
        steps: In which it must be near the lowest point.
    """

    learning_rate: ClassVar[float] = 0.05
    steps: ClassVar[int] = 400

    @abstractmethod
    def make(self) -> OptimizerFactory:
        """The optimizer under test."""

    def weights(self) -> list[nn.Parameter]:
        """Weights of several shapes, the last of which gets no gradient."""
        generator = torch.Generator().manual_seed(0)
        shapes: list[tuple[int, ...]] = [(3, 4), (5,), (), (2,)]
        return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]

    def loss(self, weights: list[nn.Parameter]) -> torch.Tensor:
        """Lowest where every weight but the last is 1."""
        return torch.stack([((weight - 1) ** 2).sum() for weight in weights[:-1]]).sum()

    def descend(self, optimizer: torch.optim.Optimizer, weights: list[nn.Parameter], *, steps: int) -> None:
        """Take ``steps`` steps."""
        for _ in range(steps):
            optimizer.zero_grad()
            self.loss(weights).backward()
            optimizer.step()

    def test_finds_the_lowest_point(self) -> None:
        """The loss falls to a hundredth, with the learning rate falling to 0 as a policy would have it."""
        weights = self.weights()
        before = self.loss(weights).item()
        optimizer = self.make()(weights, self.learning_rate)
        for step in range(self.steps):
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate * (1 - step / self.steps)
            self.descend(optimizer, weights, steps=1)
        after = self.loss(weights).item()
        claim(after < 0.01 * before, f"found a loss of {after} after {self.steps} steps from {before}")

    def test_leaves_weights_without_gradient_alone(self) -> None:
        """A weight that had no part in the loss stays as it was."""
        weights = self.weights()
        kept = weights[-1].detach().clone()
        self.descend(self.make()(weights, self.learning_rate), weights, steps=3)
        claim(torch.equal(weights[-1], kept), "found a weight without gradient moved")

    def test_starts_at_the_trainers_learning_rate(self) -> None:
        """The rate is the trainer's; at 0 nothing moves."""
        weights = self.weights()
        kept = [weight.detach().clone() for weight in weights]
        optimizer = self.make()(iter(weights), 0.0)
        claim([group["lr"] for group in optimizer.param_groups] == [0.0], "found another learning rate than given")
        self.descend(optimizer, weights, steps=3)
        claim(all(map(torch.equal, weights, kept)), "found weights moved at a learning rate of 0")

    def test_goes_on_from_its_state(self) -> None:
        """Saved and loaded half-way, it takes the very same steps: a resumed training is the same training."""
        weights = self.weights()
        optimizer = self.make()(weights, self.learning_rate)
        self.descend(optimizer, weights, steps=4)
        twins = copy.deepcopy(weights)
        resumed = self.make()(twins, 1.0)
        resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        self.descend(optimizer, weights, steps=4)
        self.descend(resumed, twins, steps=4)
        claim(all(map(torch.equal, weights, twins)), "found another path after saving and loading")

    def test_is_the_same_every_time(self) -> None:
        """No dice: the same steps give the same weights, bit by bit."""
        first, second = self.weights(), self.weights()
        for weights in (first, second):
            self.descend(self.make()(weights, self.learning_rate), weights, steps=5)
        claim(all(map(torch.equal, first, second)), "found two results from the same steps")

    def test_takes_a_closure(self) -> None:
        """As torch's optimizers do: the closure computes loss and gradients, and the loss comes back."""
        weights = self.weights()
        optimizer = self.make()(weights, self.learning_rate)

        def closure() -> float:
            optimizer.zero_grad()
            loss = self.loss(weights)
            loss.backward()
            return loss.item()

        expected = self.loss(weights).item()
        claim(optimizer.step(closure) == expected, "found another loss than the closure's")
        claim(self.loss(weights).item() < expected, "found no step after a closure")
