"""Adam: the conformance suite, and PyTorch's own under v3's names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from vesalia.components.optimizers.adam import Adam
from vesalia.errors import ConfigError
from vesalia.testing.optimizers import OptimizerSuite


class TestAdam(OptimizerSuite):
    def make(self) -> Adam:
        return Adam()


def test_arguments_reach_torch() -> None:
    optimizer = Adam(beta1=0.8, beta2=0.95, epsilon=1e-3)([nn.Parameter(torch.zeros(1))], 0.1)
    assert isinstance(optimizer, torch.optim.Adam)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"], group["eps"]) == (0.1, (0.8, 0.95), 1e-3)


def test_decay_of_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="beta1: found"):
        Adam(beta1=1.0)
