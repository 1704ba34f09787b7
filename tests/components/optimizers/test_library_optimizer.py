"""LibraryOptimizer: the conformance suite with classes of PyTorch and MONAI, and what it refuses."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from vesalia.components.optimizers.library_optimizer import LibraryOptimizer
from vesalia.errors import ConfigError
from vesalia.testing.optimizers import OptimizerSuite


class TestAdamW(OptimizerSuite):
    def make(self) -> LibraryOptimizer:
        return LibraryOptimizer("torch.optim.AdamW", arguments={"weight_decay": 0.0, "betas": (0.9, 0.99)})


class TestNovograd(OptimizerSuite):
    learning_rate = 0.2

    def make(self) -> LibraryOptimizer:
        return LibraryOptimizer("monai.optimizers.Novograd")


def test_is_torchs_own() -> None:
    weight = nn.Parameter(torch.ones(2))
    made = LibraryOptimizer("torch.optim.SGD", arguments={"momentum": 0.5})([weight], 0.25)
    assert isinstance(made, torch.optim.SGD)
    assert (made.param_groups[0]["lr"], made.param_groups[0]["momentum"]) == (0.25, 0.5)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("torch.optim.LBFGS", "computes the loss several times a step"),
        ("torch.optim.SparseAdam", "takes sparse gradients only"),
        ("torch.optim.Optimizer", "which is no optimizer"),
        ("torch.optim.lr_scheduler.StepLR", "which is no optimizer"),
        ("torch.nn.Linear", "expected a class of torch.optim or monai.optimizers"),
        ("os.system", "expected a class of torch.optim"),
    ],
)
def test_what_is_refused(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LibraryOptimizer(path)


def test_arguments_are_judged_at_once() -> None:
    with pytest.raises(ValueError, match="beta"):
        LibraryOptimizer("torch.optim.Adam", arguments={"betas": (2.0, 0.9)})
