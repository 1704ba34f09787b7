"""ModelSuite fails networks that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite


class Plain(Model):
    """A network that keeps every rule; the others are this one with one rule broken."""

    size_divisor = 2

    def __init__(self) -> None:
        super().__init__(3, in_channels=1, final_activation="softmax")
        self.conv = nn.Conv3d(1, 3, 1)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        self.check_size(image)
        result: torch.Tensor = self.conv(image)
        return result


class WithoutActivation(Plain):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.logits(image)


class TakesAnything(Plain):
    def check_size(self, image: torch.Tensor) -> None:
        if image.shape[1] != 1:
            raise ConfigError("found too many channels")


class WithADeadWeight(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten = nn.Parameter(torch.zeros(2, 2))


class WithItsOwnDice(Plain):
    def logits(self, image: torch.Tensor) -> torch.Tensor:
        return super().logits(image) * torch.rand(())


class JudgesByTheBatch(Plain):
    def logits(self, image: torch.Tensor) -> torch.Tensor:
        return super().logits(image - image.mean())


class KeepsAWeightToItself(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.secret = torch.randn(3, 1, 1, 1)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        return super().logits(image) * self.secret


class WithAPenaltyOfItsOwn(Plain):
    def regularisation(self) -> torch.Tensor:
        return super().regularisation() + 1


class Frozen(Plain):
    def logits(self, image: torch.Tensor) -> torch.Tensor:
        return super().logits(image) * 1e-9 + self.conv.weight.sum() * 0


def suite_of(kind: type[Model]) -> ModelSuite:
    class Suite(ModelSuite):
        def make(self) -> Model:
            return kind()  # type: ignore[call-arg]

    return Suite()


class TestPlain(ModelSuite):
    def make(self) -> Plain:
        return Plain()


def test_each_broken_rule_is_found() -> None:
    with pytest.raises(AssertionError):
        suite_of(WithoutActivation).test_ends_in_probabilities()
    with pytest.raises(pytest.fail.Exception):
        suite_of(TakesAnything).test_refuses_other_sizes_in_words()
    with pytest.raises(AssertionError, match="no gradient for forgotten"):
        suite_of(WithADeadWeight).test_every_weight_learns(amp=False)
    with pytest.raises(AssertionError, match="found"):
        suite_of(WithItsOwnDice).test_is_drawn_from_the_seed_alone()
    with pytest.raises(AssertionError):
        suite_of(JudgesByTheBatch).test_judges_each_item_alone()
    with pytest.raises(AssertionError, match="after saving"):
        suite_of(KeepsAWeightToItself).test_weights_travel_through_safetensors()
    with pytest.raises(AssertionError, match="penalty"):
        suite_of(WithAPenaltyOfItsOwn).test_regularisation_follows_its_weight()
    with pytest.raises(AssertionError, match="after 30 steps"):
        suite_of(Frozen).test_learns()


def test_the_dice_of_others_are_left_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    suite_of(Plain).build(seed=7)
    assert torch.equal(torch.get_rng_state(), before)
