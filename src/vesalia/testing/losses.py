"""What every loss must do: inherit :class:`LossSuite`, say how yours is made, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import pytest
import torch

from vesalia.components.losses.base import Loss
from vesalia.errors import UserError
from vesalia.testing.claims import claim

__all__ = ["LossSuite"]

_SIZES = ((6, 5), (4, 5, 3))


class LossSuite(ABC):
    """Tests of a loss over softmax probabilities and a label map, in 2D and 3D.

    Attributes:
        classes: Channels of the predictions.
    """

    classes: ClassVar[int] = 3

    @abstractmethod
    def make(self) -> Loss:
        """The loss under test."""

    def example(self, size: tuple[int, ...], *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits ``[2, classes, *size]`` and labels ``[2, 1, *size]`` with every class in both items."""
        generator = torch.Generator().manual_seed(seed)
        target = torch.randint(0, self.classes, (2, 1, *size), generator=generator)
        target.flatten(2)[..., : self.classes] = torch.arange(self.classes)
        return torch.randn(2, self.classes, *size, generator=generator), target

    @pytest.mark.parametrize("size", _SIZES)
    def test_gives_one_finite_float32_number(self, size: tuple[int, ...]) -> None:
        """A scalar in float32, for label maps of any number type."""
        logits, target = self.example(size)
        values = [self.make()(logits.softmax(1), target.to(kind)) for kind in (torch.int64, torch.uint8, torch.float32)]
        for value in values:
            claim(value.shape == (), f"found a loss of shape {tuple(value.shape)}, expected a scalar")
            claim(value.dtype is torch.float32, f"found a loss in {value.dtype}, expected float32")
            claim(value.isfinite(), f"found a loss of {value}, expected a finite number")
            torch.testing.assert_close(value, values[0])

    @pytest.mark.parametrize("size", _SIZES)
    def test_prefers_what_is_right(self, size: tuple[int, ...]) -> None:
        """The truth costs less than an even guess, and that less than the opposite."""
        _, target = self.example(size)
        truth = torch.nn.functional.one_hot(target[:, 0], self.classes).movedim(-1, 1).float()
        right, even, wrong = (self.make()((4 * sign * truth).softmax(1), target) for sign in (3, 0, -3))
        claim(right < even < wrong, f"found losses of {right} (right), {even} (even) and {wrong} (wrong)")

    @pytest.mark.parametrize("size", _SIZES)
    def test_descends(self, size: tuple[int, ...]) -> None:
        """Following the gradient makes the loss smaller and the prediction better."""
        logits, target = self.example(size)
        logits.requires_grad_()
        before = self.make()(logits.softmax(1), target)
        for _ in range(60):
            (gradient,) = torch.autograd.grad(self.make()(logits.softmax(1), target), logits)
            claim(gradient.isfinite().all(), "found a gradient that is not finite")
            scaled = gradient / gradient.abs().max().clamp_min(1e-12)
            logits = (logits - 0.5 * scaled).detach().requires_grad_()
        after = self.make()(logits.softmax(1), target)
        claim(after < before, f"found a loss of {after} after descending from {before}")
        foreground = target > 0
        right = (logits.argmax(1, keepdim=True) == target)[foreground].float().mean()
        claim(right > 0.9, f"found {right:.2f} of the foreground right after descending")

    @pytest.mark.parametrize("size", _SIZES)
    def test_survives_certainty(self, size: tuple[int, ...]) -> None:
        """Probabilities of exactly 0 and 1, right and wrong, give finite losses and gradients."""
        logits, target = self.example(size)
        logits = (1e4 * logits).requires_grad_()
        probabilities = logits.softmax(1)
        value = self.make()(probabilities, target)
        (inner, outer) = torch.autograd.grad(value, (probabilities, logits))
        claim(value.isfinite(), f"found a loss of {value}")
        claim(inner.isfinite().all(), "found a gradient of the probabilities that is not finite")
        claim(outer.isfinite().all(), "found a gradient of the logits that is not finite")

    @pytest.mark.parametrize("label", [0, 1])
    def test_survives_labels_of_one_class(self, label: int) -> None:
        """A crop of nothing but background, or of nothing but one organ, is no reason to stop."""
        logits, target = self.example((4, 5, 3))
        logits.requires_grad_()
        value = self.make()(logits.softmax(1), torch.full_like(target, label))
        (gradient,) = torch.autograd.grad(value, logits)
        claim(value.isfinite() and gradient.isfinite().all(), f"found a loss of {value} or its gradient not finite")

    def test_stays_in_float32_under_autocast(self) -> None:
        """Autocast and half-precision inputs change the number by their own rounding alone."""
        logits, target = self.example((4, 5, 3))
        probabilities = logits.softmax(1)
        expected = self.make()(probabilities, target)
        with torch.autocast("cpu", torch.bfloat16):
            value = self.make()(probabilities, target)
        torch.testing.assert_close(value, expected, rtol=1e-6, atol=1e-7)
        rounded = probabilities.bfloat16()
        value = self.make()(rounded, target)
        torch.testing.assert_close(value, self.make()(rounded.float(), target), rtol=1e-6, atol=1e-7)

    def test_is_the_same_whatever_the_order_of_voxels(self) -> None:
        """Neither the order of voxels nor that of the items matters."""
        logits, target = self.example((4, 5, 3))
        expected = self.make()(logits.softmax(1), target)
        turned = self.make()(logits.flip(0, 2).transpose(2, 4).softmax(1), target.flip(0, 2).transpose(2, 4))
        torch.testing.assert_close(turned, expected)

    def test_changes_nothing_in_place(self) -> None:
        """Predictions and labels are as before."""
        logits, target = self.example((4, 5, 3))
        probabilities = logits.softmax(1)
        kept = probabilities.clone(), target.clone()
        self.make()(probabilities, target)
        claim(torch.equal(probabilities, kept[0]) and torch.equal(target, kept[1]), "found an input changed in place")

    def test_refuses_a_label_of_another_size(self) -> None:
        """A label that would broadcast is a fault of the config or the data, and is said in words."""
        logits, target = self.example((4, 5, 3))
        with pytest.raises(UserError, match="found"):
            self.make()(logits.softmax(1), target[:, :, :1])
