"""LibrarySchedule: PyTorch's and MONAI's own schedules, without their memory."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import optim

from vesalia.components.lr_policies.base import Progress
from vesalia.components.lr_policies.library_schedule import LibrarySchedule
from vesalia.errors import ConfigError
from vesalia.testing.lr_policies import LearningRatePolicySuite

TORCH = "torch.optim.lr_scheduler"


class TestByEpoch(LearningRatePolicySuite):
    def make(self) -> LibrarySchedule:
        return LibrarySchedule(f"{TORCH}.StepLR", arguments={"step_size": 3, "gamma": 0.5}, epochs=10)


class TestByStep(LearningRatePolicySuite):
    def make(self) -> LibrarySchedule:
        arguments = {"T_max": 50, "eta_min": 0.0}
        return LibrarySchedule(f"{TORCH}.CosineAnnealingLR", arguments=arguments, by_step=True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("StepLR", {"step_size": 2}),
        ("MultiStepLR", {"milestones": [1, 3], "gamma": 0.3}),
        ("CosineAnnealingLR", {"T_max": 6}),
        ("CosineAnnealingWarmRestarts", {"T_0": 3}),
        ("PolynomialLR", {"total_iters": 6, "power": 0.9}),
        ("ExponentialLR", {"gamma": 0.8}),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1}),
    ],
)
def test_each_epoch_has_the_rate_that_the_library_gives(name: str, arguments: dict[str, Any]) -> None:
    optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    scheduler = getattr(optim.lr_scheduler, name)(optimizer, **arguments)
    wanted = []
    for _ in range(6):
        wanted += [optimizer.param_groups[0]["lr"]] * 2
        optimizer.step()
        scheduler.step()
    policy = LibrarySchedule(f"{TORCH}.{name}", arguments=arguments, epochs=6)
    assert [policy(0.1, Progress(step / 12, step)) for step in range(12)] == pytest.approx(wanted)


def test_monai_has_schedules_too() -> None:
    policy = LibrarySchedule(
        "monai.optimizers.WarmupCosineSchedule", arguments={"warmup_steps": 2, "t_total": 8}, by_step=True
    )
    rates = [policy(1.0, Progress(0.0, step)) for step in range(9)]
    assert rates[:3] == pytest.approx([0.0, 0.5, 1.0])
    assert rates[8] == pytest.approx(0.0, abs=1e-6)


def test_past_its_end_a_schedule_stays() -> None:
    policy = LibrarySchedule(
        f"{TORCH}.OneCycleLR", arguments={"max_lr": 1.0, "total_steps": 5, "optimizer": "@optimizer"}, by_step=True
    )
    assert policy(1.0, Progress(1.0, 20)) == policy(1.0, Progress(0.8, 5))


@pytest.mark.parametrize(
    ("path", "arguments", "said"),
    [
        ("os.system", {}, "expected a class of torch.optim.lr_scheduler"),
        (f"{TORCH}.Nothing", {}, "expected a class of"),
        (f"{TORCH}.LambdaLR", {"lr_lambda": "x"}, "that plain values describe"),
        (f"{TORCH}.Optimizer", {}, "expected a class of"),
        (f"{TORCH}.StepLR", {}, "step_size"),
        (f"{TORCH}.StepLR", {"step_size": 3, "q": 1}, "q"),
    ],
)
def test_what_is_no_schedule_says_so(path: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        LibrarySchedule(path, arguments=arguments)
    assert said in str(caught.value)
