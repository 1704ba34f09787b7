"""A step that is tried: it takes time, and leaves everything as it was."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.losses.dice import Dice
from vesalia.components.models.unet import Unet
from vesalia.pipelines.batching import Batch
from vesalia.runtime.precision import Precision, choose_precision
from vesalia.training.trial_step import TrialStep

CPU = torch.device("cpu")


def batch() -> Batch:
    label = torch.zeros(2, 1, 16, 16, 16, dtype=torch.uint8)
    label[:, :, 4:8] = 1
    return Batch({"image": torch.rand(2, 1, 16, 16, 16), "label": label}, ("a", "b"))


def small_unet() -> Unet:
    return Unet(num_classes=2, nf_enc=[8, 16], nf_dec=[16, 8, 8, 8, 8], dropout=0.5)


def trial(model: Unet, *, precision: Precision | None = None) -> TrialStep:
    return TrialStep(model=model, loss=Dice(), device=CPU, precision=precision or choose_precision(CPU, amp=False))


@pytest.mark.parametrize("amp", [False, True])
def test_a_step_is_timed_and_nothing_is_changed(amp: bool) -> None:
    model, given = small_unet(), batch()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    dice = torch.get_rng_state()
    assert trial(model, precision=choose_precision(CPU, amp=amp))(given) > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), dice)


def test_a_step_that_fails_is_left_to_the_training() -> None:
    wrong = Batch({"image": torch.rand(1, 3, 16, 16, 16), "label": torch.zeros(1, 1, 16, 16, 16)}, ("a",))
    assert trial(small_unet())(wrong) == 0.0
