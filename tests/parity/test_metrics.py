"""Metrics against twins: sets of voxels in NumPy, all pairs of surface voxels, and MONAI's metrics."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.meandice import DiceMetric
from monai.metrics.surface_dice import compute_surface_dice

from vesalia.components.metrics.base import SubjectFields
from vesalia.components.metrics.compute_average import ComputeAverage
from vesalia.components.metrics.compute_average_dice import ComputeAverageDice
from vesalia.components.metrics.compute_average_surface_dice import ComputeAverageSurfaceDice
from vesalia.components.metrics.compute_hausdorff95 import ComputeHausdorff95

Array = npt.NDArray[np.bool_]

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


def surface_twin(mask: Array) -> list[tuple[int, ...]]:
    """The voxels of a mask that have a neighbour outside it, one by one."""
    voxels = {tuple(map(int, voxel)) for voxel in np.argwhere(mask)}
    steps = [step for step in itertools.product((-1, 0, 1), repeat=mask.ndim) if sum(map(abs, step)) == 1]
    return [v for v in sorted(voxels) if any(tuple(map(sum, zip(v, s, strict=True))) not in voxels for s in steps)]


def distances_twin(predicted: Array, wanted: Array, spacing_mm: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """All pairs of surface voxels, the nearest for each."""
    one, other = (np.array(surface_twin(mask)) * spacing_mm for mask in (predicted, wanted))
    pairs = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=2))
    return pairs.min(axis=1).tolist(), pairs.min(axis=0).tolist()


def percentile_twin(values: list[float]) -> float:
    """The 95th, between neighbours in proportion."""
    ordered, place = sorted(values), 0.95 * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def blobs(seed: int, size: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities and labels with smooth shapes of three classes, the prediction a little off."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in size], indexing="ij"))
    label = torch.zeros(1, *size, dtype=torch.long)
    logits = torch.zeros(3, *size)
    for number, radius in ((1, 3.2), (2, 2.1)):
        centre = torch.rand(len(size), generator=generator) + (torch.tensor(size) * (0.3 if number == 1 else 0.65))
        away = (grid - centre.view(-1, *[1] * len(size))).square().sum(0).sqrt()
        label[0][away < radius] = number
        off = (grid - centre.view(-1, *[1] * len(size)) - 0.9).square().sum(0).sqrt()
        logits[number] = 4 * (radius + 0.4 - off)
    return logits, label


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
@pytest.mark.parametrize(("size", "spacing_mm"), [((12, 14), (0.7, 2.5)), ((12, 10, 9), (0.8, 1.5, 3.0))])
@pytest.mark.parametrize("seed", range(3))
def test_surfaces(seed: int, size: tuple[int, ...], spacing_mm: tuple[float, ...]) -> None:
    """Against all pairs of surface voxels, and MONAI."""
    logits, label = blobs(seed, size)
    fields = SubjectFields({"model": logits.softmax(0), "label": label}, spacing_mm={"label": spacing_mm})
    hd95 = ComputeHausdorff95("hd95", "model").score("a", fields).per_class
    nsd = ComputeAverageSurfaceDice("nsd", "model", tolerance_mm=1.55).score("a", fields).per_class
    decided = logits.argmax(0)
    for number in (1, 2):
        found, wanted = (decided == number).numpy(), (label[0] == number).numpy()
        there, back = distances_twin(found, wanted, spacing_mm)
        assert hd95[number - 1] == pytest.approx(max(percentile_twin(there), percentile_twin(back)), abs=1e-6)
        within = sum(value <= 1.55 for value in [*there, *back]) / (len(there) + len(back))
        assert nsd[number - 1] == pytest.approx(within, abs=1e-6)
    one, other = [torch.nn.functional.one_hot(each, 3).movedim(-1, 0)[None] for each in (decided, label[0])]
    expected = compute_hausdorff_distance(one, other, percentile=95, spacing=spacing_mm)
    assert hd95 == pytest.approx(expected[0].tolist(), abs=1e-5)
    expected = compute_surface_dice(one, other, class_thresholds=[1.55, 1.55], spacing=spacing_mm)
    assert nsd == pytest.approx(expected[0].tolist(), abs=1e-6)


@pytest.mark.parametrize("negate", [False, True])
def test_average_of_a_tag(negate: bool) -> None:
    """Invalid values are left out, then subjects without one."""
    subjects = [[0.3, -1.0, 0.5], [math.nan, 0.25], [-1.0], [0.125]]
    metric = ComputeAverage("mean", "tag", invalid_value=-1.0, negate_value=negate)
    for number, values in enumerate(subjects):
        metric.update(str(number), {"tag": torch.tensor(values)})
    valid = [[value for value in values if value != -1.0 and not math.isnan(value)] for values in subjects]
    expected = np.mean([np.mean(values) for values in valid if values])
    assert metric.compute() == pytest.approx(-expected if negate else expected, abs=1e-6)
