"""What models share: activations, the check of sizes, the penalty on kernels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.drawn import normal
from vesalia.components.models.base import FinalActivation, Model, activate
from vesalia.errors import ConfigError


class Line(Model):
    size_divisor = 4

    def __init__(self, activation: FinalActivation = "softmax", reg_weight: float = 0.0) -> None:
        super().__init__(2, in_channels=1, final_activation=activation, reg_weight=reg_weight)
        self.kernel = nn.Parameter(torch.tensor([[3.0], [-4.0]]))
        self.bias = nn.Parameter(torch.tensor([5.0]))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        self.check_size(image)
        return torch.cat([image, -image], dim=1)


@pytest.mark.parametrize(
    ("activation", "expected"), [("softmax", [0.5, 0.5]), ("sigmoid", [0.5, 0.5]), ("linear", [0.0, 0.0])]
)
def test_activations(activation: FinalActivation, expected: list[float]) -> None:
    result = activate(torch.zeros(1, 2, 1, dtype=torch.bfloat16), activation)
    assert result.dtype is torch.float32
    assert result.flatten().tolist() == expected


def test_forward_activates_the_logits() -> None:
    image = normal(1, 1, 4, 4)
    logits = torch.cat([image, -image], dim=1)
    assert torch.equal(Line("sigmoid")(image), logits.sigmoid())
    assert torch.equal(Line("softmax")(image), logits.softmax(1))


def test_a_wrong_size_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"found an image of \[10, 2\] voxels.*multiples of 4.*\[8, 4\]"):
        Line()(torch.zeros(1, 1, 10, 2))


def test_wrong_channels_say_what_to_write() -> None:
    with pytest.raises(ConfigError, match="output_image_channels: 3"):
        Line()(torch.zeros(1, 3, 4, 4))


def test_penalty_is_half_the_square_of_the_kernels_alone() -> None:
    assert Line(reg_weight=0.1).regularisation().item() == pytest.approx(0.1 * (9 + 16) / 2)
    assert Line().regularisation().item() == 0.0
