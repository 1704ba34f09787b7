"""Policies against twins: v3's formulas, and PyTorch's own schedulers, step by step."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.components.lr_policies.decay_on_step import DecayOnStep
from vesalia.components.lr_policies.reduce_cosine import ReduceCosine
from vesalia.components.lr_policies.reduce_on_plateau import ReduceOnPlateau
from vesalia.components.lr_policies.reduce_poly import ReducePoly

STEPS = 40
INITIAL = 2e-3


def optimizer() -> optim.Optimizer:
    return optim.SGD([nn.Parameter(torch.zeros(1))], lr=INITIAL)


FORMULAS: list[tuple[LearningRatePolicy, Callable[[float, int], float]]] = [
    (ReducePoly(poly_power=0.9), lambda fraction, _: (1 - fraction) ** 0.9),
    (ReducePoly(poly_power=2), lambda fraction, _: (1 - fraction) * (1 - fraction)),
    (ReduceCosine(rate=0.3), lambda fraction, _: 0.3 * (1 + math.cos(math.pi * fraction))),
    (ReduceCosine(), lambda fraction, _: math.cos(math.pi * fraction / 2) ** 2),
    (DecayOnStep(decay_ratio=0.9, decay_freq=3), lambda _, step: math.prod([0.9] * (step // 3))),
]


@pytest.mark.parametrize(("policy", "twin"), FORMULAS)
def test_formulas(policy: LearningRatePolicy, twin: Callable[[float, int], float]) -> None:
    for step in range(STEPS + 1):
        expected = INITIAL * twin(step / STEPS, step)
        assert policy(INITIAL, Progress(step / STEPS, step)) == pytest.approx(expected, abs=1e-6 * INITIAL)


def test_plateau_by_counting() -> None:
    """A count of validations without gain, set to 0 by a gain and by a reduction."""
    policy = ReduceOnPlateau(plateau_count_trigger=2, reduction_rate=0.1)
    best, stall, earlier = float("-inf"), 0, []
    rate, count = INITIAL, 0
    for metric in [1, 2, 2, 2, 2, 2, 3, 3, 3, 1, 4, 4, 5]:
        if metric > best:
            earlier.append(stall)
            best, stall, count = metric, 0, 0
        else:
            stall += 1
            count += 1
        if count == 2:
            rate, count = rate * 0.1, 0
        assert policy(INITIAL, Progress(0.5, 10, stall, tuple(earlier))) == pytest.approx(rate, abs=1e-6 * INITIAL)


@pytest.mark.parametrize(
    ("policy", "twin"),
    [
        (ReducePoly(poly_power=0.9), lambda o: lr_scheduler.PolynomialLR(o, total_iters=STEPS, power=0.9)),
        (ReduceCosine(), lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=STEPS)),
        (DecayOnStep(decay_ratio=0.3, decay_freq=7), lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.3)),
    ],
)
def test_torchs_schedulers(
    policy: LearningRatePolicy, twin: Callable[[optim.Optimizer], lr_scheduler.LRScheduler]
) -> None:
    descent = optimizer()
    schedule = twin(descent)
    for step in range(STEPS + 1):
        assert policy(INITIAL, Progress(step / STEPS, step)) == pytest.approx(
            schedule.get_last_lr()[0], abs=1e-6 * INITIAL
        )
        descent.step()
        schedule.step()


def test_plateau() -> None:
    """Torch's patience counts the validations that are let pass, so ours of 3 is its 2."""
    descent = optimizer()
    schedule = lr_scheduler.ReduceLROnPlateau(descent, mode="max", factor=0.5, patience=2, threshold=0.0)
    policy = ReduceOnPlateau(plateau_count_trigger=3, reduction_rate=0.5)
    best, stall, earlier = float("-inf"), 0, []
    for metric in [0.1, 0.2, 0.2, 0.1, 0.2, 0.15, 0.3, 0.3, 0.3, 0.2, 0.3, 0.3, 0.3, 0.3, 0.4, 0.4]:
        if metric > best:
            earlier.append(stall)
            best, stall = metric, 0
        else:
            stall += 1
        schedule.step(metric)
        rate = policy(INITIAL, Progress(0.5, 10, stall, tuple(earlier)))
        assert rate == pytest.approx(descent.param_groups[0]["lr"])
