"""TFSimpleInferer: the conformance suite, one pass, padding on both sides."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.inferers.simple import TFSimpleInferer
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
