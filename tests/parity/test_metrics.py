"""ComputeAverageDice against twins: sets of voxels in NumPy, and MONAI's DiceMetric."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.metrics.meandice import DiceMetric

from vesalia.components.metrics.compute_average_dice import ComputeAverageDice

CLASSES = 4


def subject(seed: int, *, absent: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities near the truth, and the truth, with one class absent from the label if wanted."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(0, CLASSES, (1, 6, 7, 5), generator=generator)
    logits = torch.randn(CLASSES, 6, 7, 5, generator=generator)
    logits += 2 * torch.nn.functional.one_hot(label[0], CLASSES).movedim(-1, 0)
    if absent is not None:
        label[label == absent] = 0
    return logits, label


def twin(predicted: np.ndarray, label: np.ndarray) -> list[float]:
    scores = []
    for number in range(1, CLASSES):
        found, wanted = predicted == number, label == number
        scores.append(2 * (found & wanted).sum() / (found.sum() + wanted.sum()) if wanted.any() else math.nan)
    return scores


@pytest.mark.parametrize("absent", [None, 2])
def test_numpy(absent: int | None) -> None:
    logits, label = subject(0, absent=absent)
    scored = ComputeAverageDice("dice", "model").score("a", {"model": logits.softmax(0), "label": label})
    expected = twin(logits.argmax(0).numpy(), label[0].numpy())
    assert scored.per_class == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert scored.value == pytest.approx(np.nanmean(expected), abs=1e-6)


def test_monai_over_subjects_with_absent_classes() -> None:
    metric = ComputeAverageDice("dice", "model")
    monai = DiceMetric(include_background=False, reduction="mean", ignore_empty=True)
    for seed, absent in enumerate([None, 1, 3, None]):
        logits, label = subject(seed, absent=absent)
        metric.update(str(seed), {"model": logits.softmax(0), "label": label})
        decided, wanted = (
            torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 0)[None] for labels in (logits.argmax(0), label[0])
        )
        monai(decided, wanted)
    per_subject: torch.Tensor = monai.get_buffer()  # type: ignore[no-untyped-call]
    expected = torch.nanmean(torch.nanmean(per_subject, dim=1)).item()
    assert metric.compute() == pytest.approx(expected, abs=1e-6)
    assert metric.per_class() == pytest.approx(torch.nanmean(per_subject, dim=0).tolist(), abs=1e-6)
    aggregate = monai.aggregate()
    assert isinstance(aggregate, torch.Tensor)
    assert aggregate.item() == pytest.approx(metric.compute(), abs=1e-6)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_independent_channels_at_a_threshold(threshold: float) -> None:
    logits, label = subject(0)
    metric = ComputeAverageDice("dice", "model", logit_thresh=threshold)
    scored = metric.score("a", {"model": logits.sigmoid(), "label": label})
    expected = []
    for number in range(1, CLASSES):
        found, wanted = (logits.sigmoid()[number] > threshold).numpy(), (label[0] == number).numpy()
        expected.append(2 * (found & wanted).sum() / (found.sum() + wanted.sum()))
    assert scored.per_class == pytest.approx(expected, abs=1e-6)
