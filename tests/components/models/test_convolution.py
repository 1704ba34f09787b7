"""The layers of networks: sizes, biases, and the step up."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.drawn import normal
from vesalia.components.models.convolution import ConvolutionBlock, RisingBlock, convolution, kernel_over_repeated
from vesalia.components.models.normalization import Normalization

GROUPS = Normalization(use_batch_norm=False, use_group_norm=True, groups=2)
NOTHING = Normalization(use_batch_norm=False, use_group_norm=False, groups=2)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 1), (3, 1), (3, 2)])
def test_convolution_keeps_or_divides_the_size(dims: int, kernel_size: int, stride: int) -> None:
    layer = convolution(2, 5, dims=dims, kernel_size=kernel_size, stride=stride)
    assert layer(torch.zeros(1, 2, *[8] * dims)).shape == (1, 5, *[8 // stride] * dims)


def test_bias_only_where_nothing_undoes_it() -> None:
    assert ConvolutionBlock(2, 4, norm=GROUPS, dims=3).conv.bias is None
    assert ConvolutionBlock(2, 4, norm=NOTHING, dims=3).conv.bias is not None


def test_block_is_convolution_normalisation_activation() -> None:
    block = ConvolutionBlock(2, 4, norm=GROUPS, dims=2)
    features = normal(2, 2, 8, 8)
    expected = F.leaky_relu(F.group_norm(block.conv(features), 2), 0.1)
    torch.testing.assert_close(block(features), expected)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("norm", [GROUPS, NOTHING])
def test_rising_is_repeat_join_convolve(dims: int, norm: Normalization) -> None:
    """Value and gradients are those of the plain way."""
    block = RisingBlock(3, 2, 4, norm=norm, dims=dims).double()
    features = normal(2, 3, *[4, 3, 2][:dims], dtype=torch.float64).requires_grad_()
    skip = normal(2, 2, *[8, 6, 4][:dims], seed=4, dtype=torch.float64).requires_grad_()
    repeated = features
    for axis in range(2, dims + 2):
        repeated = repeated.repeat_interleave(2, dim=axis)
    expected = F.leaky_relu(block.norm(block.conv(torch.cat([repeated, skip], dim=1))), 0.1)
    found = block(features, skip)
    torch.testing.assert_close(found, expected)
    wanted = [features, skip, *block.parameters()]
    weights = normal(*expected.shape, seed=5, dtype=torch.float64)
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), wanted),
        torch.autograd.grad((expected * weights).sum(), wanted),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_kernel_over_repeated_by_hand() -> None:
    weight = torch.tensor([1.0, 10.0, 100.0]).view(1, 1, 3)
    assert kernel_over_repeated(weight).flatten().tolist() == [100.0, 110.0, 11.0, 1.0]
