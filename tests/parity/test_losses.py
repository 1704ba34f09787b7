"""Losses against twins: v3's formulas in NumPy float64, and MONAI where it has an equivalent."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.losses.dice import DiceCELoss, DiceLoss
from monai.losses.focal_loss import FocalLoss

from vesalia.components.losses.base import Loss
from vesalia.components.losses.cross_entropy import CrossEntropy
from vesalia.components.losses.cross_entropy_dice import CrossEntropyDice
from vesalia.components.losses.dice import Dice
from vesalia.components.losses.focal import Focal
from vesalia.components.losses.focal_dice import FocalDice

Array = npt.NDArray[np.float64]

CLASSES = 4


def example(size: tuple[int, ...] = (5, 4, 6)) -> tuple[torch.Tensor, torch.Tensor]:
    """Softmax logits and labels; class 3 is absent from the second item."""
    generator = torch.Generator().manual_seed(11)
    logits = torch.randn(2, CLASSES, *size, generator=generator)
    target = torch.randint(0, CLASSES, (2, 1, *size), generator=generator)
    target[1] = target[1] % 3
    return logits, target


def onehot(target: torch.Tensor) -> Array:
    return np.stack([(target[:, 0] == label).numpy() for label in range(CLASSES)], axis=1).astype(np.float64)


def dice_twin(p: Array, t: Array, *, squared: bool, jaccard: bool, smooth: float, top: float) -> float:
    total = 0.0
    for item, channel in itertools.product(range(p.shape[0]), range(p.shape[1])):
        q, u = p[item, channel].ravel(), t[item, channel].ravel()
        both = float(q @ u)
        below = float(q @ q + u @ u) if squared else float(q.sum() + u.sum())
        total += (2 * both + top) / (below - (both if jaccard else 0.0) + smooth)
    return 1 - total / float(p.shape[0] * p.shape[1])


def entropy_twin(p: Array, t: Array, *, gamma: float = 0.0) -> float:
    return float(-(t * (1 - p) ** gamma * np.log(p + 1e-8)).sum(axis=1).mean())


@pytest.mark.parametrize("size", [(7, 5), (5, 4, 6)])
@pytest.mark.parametrize(("squared", "jaccard", "skip"), list(itertools.product([False, True], repeat=3)))
def test_dice(size: tuple[int, ...], squared: bool, jaccard: bool, skip: bool) -> None:
    logits, target = example(size)
    p, t = logits.double().softmax(1).numpy(), onehot(target)
    first = 1 if skip else 0
    for smooth, top in ((1e-5, 0.0), (1.0, 0.5)):
        loss = Dice(skip_background=skip, squared_pred=squared, jaccard=jaccard, smooth=smooth, top_smooth=top)
        expected = dice_twin(p[:, first:], t[:, first:], squared=squared, jaccard=jaccard, smooth=smooth, top=top)
        assert loss(logits.softmax(1), target).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(7, 5), (5, 4, 6)])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0, 2.5])
def test_cross_entropy_and_focal(size: tuple[int, ...], gamma: float) -> None:
    logits, target = example(size)
    p, t = logits.double().softmax(1).numpy(), onehot(target)
    loss: Loss = Focal(gamma=gamma) if gamma else CrossEntropy()
    assert loss(logits.softmax(1), target).item() == pytest.approx(entropy_twin(p, t, gamma=gamma), abs=1e-6)
    loss = Focal(gamma=gamma, skip_background=True) if gamma else CrossEntropy(skip_background=True)
    expected = entropy_twin(p[:, 1:], t[:, 1:], gamma=gamma)
    assert loss(logits.softmax(1), target).item() == pytest.approx(expected, abs=1e-6)


def test_sums() -> None:
    logits, target = example()
    p, t = logits.double().softmax(1).numpy(), onehot(target)
    dice = dice_twin(p, t, squared=False, jaccard=False, smooth=1e-5, top=0.0)
    both = CrossEntropyDice()(logits.softmax(1), target).item()
    assert both == pytest.approx(entropy_twin(p, t) + dice, abs=2e-6)
    both = FocalDice()(logits.softmax(1), target).item()
    assert both == pytest.approx(entropy_twin(p, t, gamma=2.0) + dice, abs=2e-6)


@pytest.mark.parametrize("skip", [False, True])
def test_sums_hand_their_arguments_on(skip: bool) -> None:
    logits, target = example()
    first = 1 if skip else 0
    p, t = logits.double().softmax(1).numpy()[:, first:], onehot(target)[:, first:]
    dice = dice_twin(p, t, squared=True, jaccard=True, smooth=0.1, top=0.2)
    shared: dict[str, Any] = {
        "squared_pred": True,
        "jaccard": True,
        "smooth": 0.1,
        "top_smooth": 0.2,
        "skip_background": skip,
    }
    found = CrossEntropyDice(**shared)(logits.softmax(1), target).item()
    assert found == pytest.approx(entropy_twin(p, t) + dice, abs=2e-6)
    found = FocalDice(gamma=1.5, **shared)(logits.softmax(1), target).item()
    assert found == pytest.approx(entropy_twin(p, t, gamma=1.5) + dice, abs=2e-6)


@pytest.mark.parametrize("loss", [Dice(), CrossEntropy(), Focal(), CrossEntropyDice(), FocalDice()])
def test_onehot_targets_say_the_same(loss: Loss) -> None:
    logits, target = example()
    again = type(loss)(is_onehot_targets=True)  # type: ignore[call-arg]
    found = again(logits.softmax(1), torch.from_numpy(onehot(target)))
    assert found.item() == pytest.approx(loss(logits.softmax(1), target).item(), abs=1e-6)


def test_one_channel_is_judged_on_both_sides() -> None:
    logits, target = example()
    one, mask = logits[:, :1].sigmoid(), (target > 0).double().numpy()
    p = one.double().numpy()
    dice = dice_twin(p, mask, squared=False, jaccard=False, smooth=1e-5, top=0.0)
    entropy = entropy_twin(p, mask) + entropy_twin(1 - p, 1 - mask)
    focal = entropy_twin(p, mask, gamma=2.0) + entropy_twin(1 - p, 1 - mask, gamma=2.0)
    expected = {
        Dice: dice,
        CrossEntropy: entropy,
        Focal: focal,
        CrossEntropyDice: entropy + dice,
        FocalDice: focal + dice,
    }
    for kind, value in expected.items():
        assert kind()(one, target).item() == pytest.approx(value, abs=2e-6), kind.__name__


@pytest.mark.parametrize("smooth", [1e-8, 1e-3, 0.1])
def test_the_smoothing_of_cross_entropy_stands_in_the_logarithm(smooth: float) -> None:
    logits, target = example()
    p, t = logits.double().softmax(1).numpy(), onehot(target)
    expected = float(-(t * np.log(p + smooth)).sum(axis=1).mean())
    assert CrossEntropy(smooth=smooth)(logits.softmax(1), target).item() == pytest.approx(expected, abs=1e-6)


def test_cross_entropy_dice_is_monais_on_logits() -> None:
    """MONAI's DiceCE with its smoothing set as v3's; absent classes cost 1 in both."""
    logits, target = example()
    logits.requires_grad_()
    twin = DiceCELoss(to_onehot_y=True, softmax=True, smooth_nr=0, smooth_dr=1e-5, batch=False)
    expected = value_and_gradient(twin(logits, target), logits)
    found = value_and_gradient(CrossEntropyDice()(logits.softmax(1), target), logits)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def value_and_gradient(loss: torch.Tensor, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.detach(), gradient


@pytest.mark.parametrize(("squared", "skip"), list(itertools.product([False, True], repeat=2)))
def test_dice_is_monais_without_its_numerator_smoothing(squared: bool, skip: bool) -> None:
    logits, target = example()
    logits.requires_grad_()
    twin = DiceLoss(
        include_background=not skip, to_onehot_y=True, squared_pred=squared, smooth_nr=0, smooth_dr=1e-5, batch=False
    )
    expected = value_and_gradient(twin(logits.softmax(1), target), logits)
    found = value_and_gradient(Dice(skip_background=skip, squared_pred=squared)(logits.softmax(1), target), logits)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_focal_is_monais_on_logits_times_the_classes() -> None:
    """MONAI means over classes where we sum, and works on logits."""
    logits, target = example()
    logits.requires_grad_()
    twin = FocalLoss(to_onehot_y=True, use_softmax=True, gamma=2.0)
    expected = value_and_gradient(CLASSES * twin(logits, target), logits)
    found = value_and_gradient(Focal()(logits.softmax(1), target), logits)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_cross_entropy_is_torchs_on_logits() -> None:
    logits, target = example()
    logits.requires_grad_()
    expected = value_and_gradient(torch.nn.functional.cross_entropy(logits, target[:, 0]), logits)
    found = value_and_gradient(CrossEntropy()(logits.softmax(1), target), logits)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_binary_cross_entropy_is_torchs() -> None:
    logits, target = example()
    one, mask = logits[:, :1].requires_grad_(), (target > 0).float()
    expected = value_and_gradient(torch.nn.functional.binary_cross_entropy_with_logits(one, mask), one)
    found = value_and_gradient(CrossEntropy()(one.sigmoid(), target), one)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)
