"""LossSuite fails losses that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.losses.base import Loss
from vesalia.components.losses.dice import Dice
from vesalia.errors import UserError
from vesalia.testing.losses import LossSuite

SIZE = (4, 5, 3)


class Double(Loss):
    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return Dice()(probabilities, target).double()


class Turned(Loss):
    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return -Dice()(probabilities, target)


class Bare(Loss):
    """A logarithm without a floor."""

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return -probabilities.float().gather(1, target.long()).log().mean()


class Careless(Loss):
    """Half precision wherever autocast leads, the first item alone, and in place."""

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        rounded = probabilities.bfloat16() if torch.is_autocast_enabled("cpu") else probabilities
        value = Dice()(rounded[:1], target[:1].expand(-1, -1, *rounded.shape[2:]))
        if not probabilities.requires_grad:
            probabilities.zero_()
        return value


def suite_of(loss: Loss) -> LossSuite:
    class Suite(LossSuite):
        def make(self) -> Loss:
            return loss

    return Suite()


def test_a_loss_in_another_number_format() -> None:
    with pytest.raises(AssertionError, match="float32"):
        suite_of(Double()).test_gives_one_finite_float32_number(SIZE)


def test_a_loss_with_its_sign_turned() -> None:
    with pytest.raises(AssertionError, match="right"):
        suite_of(Turned()).test_prefers_what_is_right(SIZE)
    with pytest.raises(AssertionError, match="found"):
        suite_of(Turned()).test_descends(SIZE)


def test_a_loss_that_breaks_at_certainty() -> None:
    with pytest.raises(AssertionError, match="found"):
        suite_of(Bare()).test_survives_certainty(SIZE)


def test_a_loss_that_is_careless() -> None:
    suite = suite_of(Careless())
    with pytest.raises(AssertionError):
        suite.test_stays_in_float32_under_autocast()
    with pytest.raises(AssertionError):
        suite.test_is_the_same_whatever_the_order_of_voxels()
    with pytest.raises(AssertionError, match="in place"):
        suite.test_changes_nothing_in_place()
    with pytest.raises(pytest.fail.Exception):
        suite.test_refuses_a_label_of_another_size()


def test_a_loss_that_gives_up_on_empty_labels() -> None:
    class Strict(Loss):
        def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            if not target.any():
                raise UserError("empty")
            return Dice()(probabilities, target) / (target == 0).sum()

    with pytest.raises(UserError):
        suite_of(Strict()).test_survives_labels_of_one_class(0)
    with pytest.raises(AssertionError, match="found a loss of inf"):
        suite_of(Strict()).test_survives_labels_of_one_class(1)
