"""Aux ops against twins: sets of voxels counted in plain Python and NumPy."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.metrics.meandice import DiceMetric

from vesalia.components.aux_ops.compute_dice import ComputeDice
from vesalia.components.aux_ops.dice_masked_output import DiceMaskedOutput
from vesalia.components.aux_ops.neg_loss import NegLoss

CLASSES = 4
Masks = npt.NDArray[np.bool_]


def example(size: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities near the truth and labels; class 3 is absent from the second item, all classes from the third."""
    generator = torch.Generator().manual_seed(5)
    target = torch.randint(0, CLASSES, (3, 1, *size), generator=generator)
    target[1] = target[1] % 3
    target[2] = 0
    logits = torch.randn(3, CLASSES, *size, generator=generator)
    logits += 1.5 * torch.nn.functional.one_hot(target[:, 0], CLASSES).movedim(-1, 1)
    logits[1, 3] -= 20  # nothing is predicted for the class that is absent
    return logits, target


def decided(logits: torch.Tensor, *, independent: bool) -> Masks:
    if independent:
        return (logits.sigmoid() > 0.5).numpy()
    largest = logits.numpy().argmax(axis=1)
    return np.stack([largest == number for number in range(CLASSES)], axis=1)


def wanted(target: torch.Tensor) -> Masks:
    return np.stack([target[:, 0].numpy() == number for number in range(CLASSES)], axis=1)


def dice(found: Masks, true: Masks) -> float:
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


FLAGS = list(itertools.product([False, True], repeat=3))


@pytest.mark.parametrize("size", [(9, 7), (5, 6, 4)])
@pytest.mark.parametrize(("independent", "onehot", "skip"), FLAGS)
def test_compute_dice(size: tuple[int, ...], independent: bool, onehot: bool, skip: bool) -> None:
    logits, target = example(size)
    found, true = decided(logits, independent=independent), wanted(target)
    expected = []
    for item, channel in itertools.product(range(3), range(1 if skip else 0, CLASSES)):
        one, other = found[item, channel], true[item, channel]
        expected.append(dice(one, other) if other.any() else float(not one.any()))
    op = ComputeDice("dice", is_onehot_targets=onehot, is_independent_predictions=independent, skip_background=skip)
    values = op(
        probabilities=logits.sigmoid() if independent else logits.softmax(1),
        target=torch.from_numpy(true).long() if onehot else target,
        loss=torch.zeros(()),
    )
    assert values["dice"].item() == pytest.approx(sum(expected) / len(expected), abs=1e-6)


@pytest.mark.parametrize("size", [(9, 7), (5, 6, 4)])
@pytest.mark.parametrize(("independent", "onehot", "skip"), FLAGS)
def test_dice_masked_output(size: tuple[int, ...], independent: bool, onehot: bool, skip: bool) -> None:
    logits, target = example(size)
    found, true = decided(logits, independent=independent), wanted(target)
    first = 1 if skip else 0
    rows = [
        [dice(found[item, c], true[item, c]) if true[item, c].any() else math.nan for c in range(first, CLASSES)]
        for item in range(3)
    ]
    items = [[value for value in row if not math.isnan(value)] for row in rows]
    means = [sum(row) / len(row) for row in items if row]
    columns = [[row[c] for row in rows if not math.isnan(row[c])] for c in range(CLASSES - first)]
    expected = [sum(means) / len(means), *(sum(column) / len(column) for column in columns)]
    tags = ["mean", *(f"class{c}" for c in range(first, CLASSES))]
    op = DiceMaskedOutput(tags, is_onehot_targets=onehot, is_independent_predictions=independent, skip_background=skip)
    values = op(
        probabilities=logits.sigmoid() if independent else logits.softmax(1),
        target=torch.from_numpy(true).long() if onehot else target,
        loss=torch.zeros(()),
    )
    assert [values[tag].item() for tag in tags] == pytest.approx(expected, abs=1e-6)


def test_dice_masked_output_is_monais_dice_metric() -> None:
    logits, target = example((5, 6, 4))
    monai = DiceMetric(include_background=False, reduction="mean", ignore_empty=True)
    monai(torch.from_numpy(decided(logits, independent=False)).float(), torch.from_numpy(wanted(target)).float())
    expected = monai.aggregate()
    assert isinstance(expected, torch.Tensor)
    op = DiceMaskedOutput(["dice"], skip_background=True)
    found = op(probabilities=logits.softmax(1), target=target, loss=torch.zeros(()))["dice"]
    assert found.item() == pytest.approx(expected.item(), abs=1e-6)


def test_neg_loss() -> None:
    logits, target = example((9, 7))
    loss = torch.tensor(0.37, requires_grad=True)
    found = NegLoss("negative")(probabilities=logits, target=target, loss=loss)["negative"]
    assert found.item() == pytest.approx(-0.37, abs=1e-6)
    assert not found.requires_grad
