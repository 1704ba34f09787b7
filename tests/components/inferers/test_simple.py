"""TFSimpleInferer: the conformance suite, one pass, padding on both sides."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.inferers.simple import TFSimpleInferer
from vesalia.components.models.base import Model
from vesalia.testing.inferers import InfererSuite, VoxelwiseModel


class TestTFSimpleInferer(InfererSuite):
    def make(self, dims: int) -> TFSimpleInferer:
        return TFSimpleInferer()


def test_one_pass_over_the_whole_image() -> None:
    model = VoxelwiseModel(size_divisor=4)
    TFSimpleInferer()(torch.zeros(1, 1, 9, 4, 7), model)
    assert model.seen == [(1, 1, 12, 4, 8)]


def test_padding_is_zero_and_symmetric() -> None:
    seen: list[torch.Tensor] = []

    class Looking(VoxelwiseModel):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            seen.append(image)
            return super().logits(image)

    TFSimpleInferer()(torch.ones(1, 1, 5, 4), Looking(size_divisor=4))
    assert seen[0][0, 0].sum(1).tolist() == [0, 4, 4, 4, 4, 4, 0, 0]


class Classifier(Model):
    """Says how bright an image is on average."""

    def __init__(self) -> None:
        super().__init__(2, in_channels=1, final_activation="linear")
        self.size_divisor = 4

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        mean = image.mean(dim=(1, 2, 3))
        return torch.stack([mean, 1 - mean], dim=1)


def test_a_classifier_gives_its_vector() -> None:
    assert TFSimpleInferer()(torch.ones(2, 1, 8, 8), Classifier()).tolist() == [[1, 0]] * 2
