"""The autoencoder branch: any size, a finite loss, a better image after some steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import normal
from vesalia.components.models.autoencoder_branch import AutoencoderBranch
from vesalia.components.models.normalization import Normalization

NORM = Normalization(use_batch_norm=False, use_group_norm=True, groups=8)


def branch(dims: int = 3) -> AutoencoderBranch:
    torch.manual_seed(0)
    return AutoencoderBranch(8, 2, in_channels=1, norm=NORM, dims=dims)


@pytest.mark.parametrize("size", [(8, 8, 8), (16, 8, 24), (16, 8)])
def test_takes_every_size(size: tuple[int, ...]) -> None:
    deepest = normal(2, 8, *(edge // 4 for edge in size))
    loss = branch(len(size))(deepest, normal(2, 1, *size))
    assert (loss.shape, loss.dtype) == ((), torch.float32)
    assert loss.isfinite()


def test_redraws_better_after_some_steps() -> None:
    autoencoder, deepest = branch(dims=2), normal(2, 8, 8, 8)
    image = torch.ones(2, 1, 32, 32)
    image[1] = -1.0
    optimizer = torch.optim.Adam(autoencoder.parameters(), lr=0.003)
    losses = []
    for _ in range(100):
        loss = autoencoder(deepest, image)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def test_latent_numbers_that_run_away_cost_but_stay_finite() -> None:
    autoencoder = branch()
    torch.nn.init.constant_(autoencoder.encode.bias, 1000.0)
    assert autoencoder(normal(1, 8, 2, 2, 2), normal(1, 1, 8, 8, 8)).isfinite()


def test_dice_are_torchs() -> None:
    autoencoder, deepest, image = branch(), normal(1, 8, 2, 2, 2), normal(1, 1, 8, 8, 8)
    torch.manual_seed(1)
    one = autoencoder(deepest, image)
    other = autoencoder(deepest, image)
    torch.manual_seed(1)
    assert torch.equal(one, autoencoder(deepest, image))
    assert not torch.equal(one, other)
