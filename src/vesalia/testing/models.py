"""What every network must do: inherit :class:`ModelSuite`, say how yours is made, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import pytest
import safetensors.torch
import torch

from vesalia.components.models.base import Model, trained
from vesalia.errors import UserError
from vesalia.testing.claims import claim

__all__ = ["ModelSuite"]


class ModelSuite(ABC):
    """Tests of a network with 3 classes and a softmax; keep it small, so that the tests are fast.

    Attributes:
        dims: Spatial axes of its images.
        in_channels: Channels of its images.
        num_classes: Channels of its output.
        classifies: Whether it judges whole images, instead of every voxel.
        tolerance: How far rounding may move a probability.
        steps: In which the loss must come down.
    """

    dims: ClassVar[int] = 3
    in_channels: ClassVar[int] = 1
    num_classes: ClassVar[int] = 3
    classifies: ClassVar[bool] = False
    tolerance: ClassVar[float] = 1e-5
    steps: ClassVar[int] = 30

    @abstractmethod
    def make(self) -> Model:
        """The network under test, ``in_channels`` to ``num_classes``, freshly drawn from torch's generator."""

    def build(self, *, seed: int = 0) -> Model:
        """The network, drawn from ``seed``; torch's generator is left as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make()

    def image(self, model: Model, *, batch: int = 2, multiples: tuple[int, ...] = (1, 2, 1)) -> torch.Tensor:
        """An image of so many times the smallest size the network takes along each axis."""
        generator = torch.Generator().manual_seed(1)
        edge = max(model.size_divisor, model.least_size)
        size = [multiple * edge for multiple in multiples[: self.dims]]
        return torch.randn(batch, self.in_channels, *size, generator=generator)

    def size_of_output(self, image: torch.Tensor) -> tuple[int, ...]:
        """The spatial size that the output must have."""
        return () if self.classifies else tuple(image.shape[2:])

    def test_ends_in_probabilities(self) -> None:
        """Float32 probabilities, of the image's own size or one row per image, whose channels sum to one."""
        model = self.build().eval()
        image = self.image(model)
        probabilities = model(image)
        expected = (len(image), self.num_classes, *self.size_of_output(image))
        claim(probabilities.shape == expected, f"found {tuple(probabilities.shape)}, expected {expected}")
        claim(probabilities.dtype is torch.float32, f"found {probabilities.dtype}, expected float32")
        torch.testing.assert_close(probabilities.sum(1), torch.ones(len(image), *self.size_of_output(image)))
        torch.testing.assert_close(probabilities, model.logits(image).softmax(1))

    def test_takes_every_multiple_of_its_divisor(self) -> None:
        """Sizes may differ per axis, down to the divisor itself."""
        model = self.build().eval()
        for multiples in ((1, 1, 1), (2, 1, 1), (1, 3, 2)):
            image = self.image(model, multiples=multiples)
            size = self.size_of_output(image)
            claim(model(image).shape[2:] == size, f"found another size than {size}")

    def test_refuses_other_sizes_in_words(self) -> None:
        """A size that is no multiple, or an image with other channels, is said in words."""
        model = self.build().eval()
        image = self.image(model)
        with pytest.raises(UserError, match="found"):
            model(torch.cat([image, image], dim=1))
        if model.size_divisor > 1:
            with pytest.raises(UserError, match="multiples"):
                model(image[..., 1:])
        if model.least_size > model.size_divisor:
            with pytest.raises(UserError, match="at least"):
                model(image[..., : model.least_size - model.size_divisor])

    @pytest.mark.parametrize("amp", [False, True])
    def test_every_weight_learns(self, amp: bool) -> None:
        """Every weight gets a finite gradient, in float32 and under bfloat16 autocast; none is dead."""
        model = self.build()
        image = self.image(model)
        with torch.autocast("cpu", torch.bfloat16, enabled=amp):
            output = trained(model(image))
        probabilities, own_loss = output.probabilities, output.own_loss
        claim(probabilities.dtype is torch.float32, f"found {probabilities.dtype} under autocast, expected float32")
        claim(own_loss.dtype is torch.float32, f"found a loss in {own_loss.dtype} under autocast, expected float32")
        judged = torch.stack([each[:, 0].log().mean() for each in (probabilities, *output.deeper)])
        (judged.sum() + own_loss).backward()
        for name, weight in model.named_parameters():
            claim(weight.grad is not None, f"found no gradient for {name}")
            claim(weight.grad is not None and weight.grad.isfinite().all(), f"found a gradient not finite for {name}")

    def test_autocast_rounds_and_no_more(self) -> None:
        """Under autocast probabilities move by rounding alone."""
        model = self.build().eval()
        image = self.image(model)
        with torch.autocast("cpu", torch.bfloat16):
            probabilities = model(image)
        torch.testing.assert_close(probabilities, model(image), atol=0.1, rtol=0)

    def test_is_drawn_from_the_seed_alone(self) -> None:
        """The same seed gives the same weights and the same output, bit by bit."""
        one, two, other = self.build(seed=3), self.build(seed=3), self.build(seed=4)
        weights = one.state_dict()
        claim(all(torch.equal(weights[name], value) for name, value in two.state_dict().items()), "weights differ")
        image = self.image(one)
        claim(torch.equal(one.eval()(image), two.eval()(image)), "found two outputs from the same weights")
        claim(not torch.equal(one(image), other.eval()(image)), "found the same weights from another seed")

    def test_judges_each_item_alone(self) -> None:
        """In evaluation an item's result does not depend on the others of its batch."""
        model = self.build().eval()
        image = self.image(model)
        alone = torch.cat([model(image[:1]), model(image[1:])])
        torch.testing.assert_close(model(image), alone, atol=self.tolerance, rtol=1e-4)

    def test_weights_travel_through_safetensors(self) -> None:
        """No weight is shared or unnamed: saved and loaded into a new network, the output is the same."""
        model, copy = self.build(seed=5).eval(), self.build(seed=6).eval()
        copy.load_state_dict(safetensors.torch.load(safetensors.torch.save(model.state_dict())))
        image = self.image(model)
        claim(torch.equal(model(image), copy(image)), "found another output after saving and loading")

    def test_regularisation_follows_its_weight(self) -> None:
        """Zero without ``reg_weight``; with it, in proportion, and with a gradient."""
        model = self.build()
        model.reg_weight = 0.0
        claim(float(model.regularisation()) == 0.0, "found a penalty without reg_weight")
        model.reg_weight = 0.5
        half = model.regularisation()
        model.reg_weight = 1.0
        torch.testing.assert_close(2 * half, model.regularisation())
        half.backward()
        claim(half > 0, "found no penalty with reg_weight")

    def test_learns(self) -> None:
        """Some steps on one image bring the loss down."""
        model = self.build()
        image = self.image(model)
        target = torch.arange(len(image)) if self.classifies else (image[:, 0] > 0).long()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        losses = []
        for _ in range(self.steps):
            probabilities, own_loss = trained(model(image))[:2]
            loss = torch.nn.functional.nll_loss((probabilities + 1e-8).log(), target) + own_loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        claim(losses[-1] < 0.8 * losses[0], f"found a loss of {losses[-1]} after {self.steps} steps from {losses[0]}")
