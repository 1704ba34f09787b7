"""What every inferer must do: inherit :class:`InfererSuite`, say how yours is made, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod

import pytest
import torch

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.testing.claims import claim

__all__ = ["InfererSuite", "VoxelwiseModel"]

_SIZES = ((16, 12), (11, 5), (3, 21), (16, 12, 8), (7, 5, 19), (1, 9, 2))


class VoxelwiseModel(Model):
    """A network that looks at one voxel at a time, so that its result cannot depend on windows or padding.

    Attributes:
        seen: The shapes it was given.
    """

    def __init__(self, *, size_divisor: int = 4) -> None:
        super().__init__(2, in_channels=1, final_activation="softmax")
        self.size_divisor = size_divisor
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.seen: list[tuple[int, ...]] = []

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Two channels: the image and its negative."""
        self.check_size(image)
        self.seen.append(tuple(image.shape))
        return torch.cat([self.scale * image, -self.scale * image], dim=1)


class InfererSuite(ABC):
    """Tests of an inferer on images of odd sizes, in 2D and 3D."""

    @abstractmethod
    def make(self, dims: int) -> Inferer:
        """The inferer under test, for images with ``dims`` spatial axes; windows, if any, near 8 voxels wide."""

    @pytest.mark.parametrize("size", _SIZES)
    def test_gives_the_networks_own_result(self, size: tuple[int, ...]) -> None:
        """Every voxel is where it was and has the value the network gives it; the size is the image's."""
        image = torch.randn(2, 1, *size, generator=torch.Generator().manual_seed(0))
        model = VoxelwiseModel().eval()
        expected = torch.cat([image, -image], dim=1).softmax(1)
        torch.testing.assert_close(self.make(len(size))(image, model), expected, atol=1e-5, rtol=1e-5)

    @pytest.mark.parametrize("size", _SIZES)
    def test_asks_the_network_for_sizes_it_can_take(self, size: tuple[int, ...]) -> None:
        """Whatever the image's size, each pass has multiples of the network's divisor."""
        model = VoxelwiseModel(size_divisor=8).eval()
        self.make(len(size))(torch.zeros(1, 1, *size), model)
        claim(model.seen, "found no pass through the network")
        claim(all(edge % 8 == 0 for shape in model.seen for edge in shape[2:]), f"found passes of {model.seen}")

    def test_gives_float32_without_gradients(self) -> None:
        """Also under autocast and for half-precision images; nothing is kept for a backward pass."""
        image = torch.randn(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
        for given in (image, image.bfloat16()):
            with torch.autocast("cpu", torch.bfloat16):
                result = self.make(3)(given, VoxelwiseModel().eval())
            claim(result.dtype is torch.float32, f"found {result.dtype}, expected float32")
            claim(not result.requires_grad, "found a result that keeps the network's gradients alive")

    def test_changes_nothing_in_place(self) -> None:
        """The image is as before, and so is the network's mode."""
        image = torch.randn(1, 1, 9, 9, 9, generator=torch.Generator().manual_seed(0))
        kept = image.clone()
        model = VoxelwiseModel().eval()
        self.make(3)(image, model)
        claim(torch.equal(image, kept), "found the image changed in place")
        claim(not model.training, "found the network switched to training")
