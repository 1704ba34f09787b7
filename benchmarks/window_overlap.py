"""How far windows should overlap: Dice on the hippocampus against the number of windows.

A small U-Net is trained on crops and judged on whole images (about 35 x 51 x 35), window by window, for several
overlaps and both kinds of weights; once with windows of 24 voxels an edge, and once of 16, which are smaller than what
is looked for. ``below_best`` is how much less the mean Dice is than that of the best setting, ``error`` the standard
error of this difference over the cases. ``ratio`` is the number of windows at an overlap of a half with Gaussian
weights (what others do by default) over that of the default here, for windows of 24.

    python benchmarks/window_overlap.py --data FOLDER_OF_TASK04 [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from side_by_side import report, say

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.components.models.unet import Unet
from vesalia.imaging.nifti import read_volume
from vesalia.imaging.overlap import dice_of_labels
from vesalia.imaging.windows import Mode

CLASSES: Final = 3
EDGES: Final = (24, 16)
OVERLAPS: Final = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625)
MODES: Final[tuple[Mode, ...]] = ("constant", "gaussian")
DEFAULT: Final = "gaussian 0.25"
Case = tuple[torch.Tensor, torch.Tensor]


def cases_of(folder: Path, count: int) -> list[Case]:
    """Images ``[1, D, H, W]`` with mean 0 and deviation 1, and their labels."""
    found = []
    for path in sorted((folder / "imagesTr").glob("hippocampus_*.nii.gz"))[:count]:
        image = read_volume(path).data.float()
        label = read_volume(folder / "labelsTr" / path.name).data.long()
        found.append((((image - image.mean()) / image.std()).unsqueeze(0), label.unsqueeze(0)))
    return found


def train(cases: list[Case], steps: int, *, edge: int) -> Model:
    """A network that has seen crops only."""
    torch.manual_seed(0)
    dice = np.random.default_rng(0)
    model = Unet(CLASSES, nf_enc=(16, 32, 64), nf_dec=(64, 32, 32, 16, 16, 16), in_channels=1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        crops = [_crop(cases[dice.integers(len(cases))], dice, edge) for _ in range(4)]
        image, label = (torch.stack(parts) for parts in zip(*crops, strict=True))
        said = model(image)
        true = torch.nn.functional.one_hot(label[:, 0], CLASSES).movedim(-1, 1).float()
        shared, sums = (said * true).sum((0, 2, 3, 4)), (said + true).sum((0, 2, 3, 4))
        nothing = said.gather(1, label).clamp_min(1e-6).log().mean()
        loss = 1 - (2 * shared / (sums + 1)).mean() - nothing
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            say(f"step {step}: loss {loss.item():.3f}")
    return model.eval()


def _crop(case: Case, dice: np.random.Generator, edge: int) -> Case:
    box: Any = [slice(None)]
    for size in case[0].shape[1:]:
        start = int(dice.integers(max(1, size - edge + 1)))
        box.append(slice(start, start + edge))
    found = [part[tuple(box)] for part in case]
    sides = [more for size in reversed(found[0].shape[1:]) for more in (0, edge - size)]
    return torch.nn.functional.pad(found[0], sides), torch.nn.functional.pad(found[1], sides)


def judge(model: Model, cases: list[Case], *, inferer: TFScanWindowInferer) -> tuple[list[float], float]:
    """Dice of the foreground of each image, and windows per image."""
    scores, windows = [], 0
    for image, label in cases:
        decided = inferer(image.unsqueeze(0), model).argmax(1)
        scores.append(float(dice_of_labels(decided, label, classes=CLASSES)[1:].nanmean()))
        windows += inferer.windows(image.shape[1:], size_divisor=model.size_divisor, lean=False).count
    return scores, windows / len(cases)


def measure(cases: list[Case], held_back: list[Case], *, edge: int, steps: int) -> dict[str, dict[str, float]]:
    """All settings for windows of one size."""
    model = train(cases, steps, edge=edge)
    scores: dict[str, list[float]] = {}
    windows: dict[str, float] = {}
    for mode, overlap in product(MODES, OVERLAPS):
        inferer = TFScanWindowInferer([edge] * 3, batch_size=8, overlap=overlap, mode=mode)
        scores[f"{mode} {overlap:g}"], windows[f"{mode} {overlap:g}"] = judge(model, held_back, inferer=inferer)
    best = max(scores, key=lambda name: np.mean(scores[name]))
    found = {}
    for name, own in scores.items():
        less = np.subtract(scores[best], own)
        found[name] = {
            "dice": float(np.mean(own)),
            "windows": windows[name],
            "below_best": float(less.mean()),
            "error": float(less.std(ddof=1) / len(less) ** 0.5),
        }
        words = "Dice {dice:.4f}, {windows:5.1f} windows per image, {below_best:.4f} below the best (error {error:.4f})"
        say(f"window {edge}, {name:14}: {words.format(**found[name])}")
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of Task04_Hippocampus")
    parser.add_argument("--quick", action="store_true", help="few and short, to see that it runs")
    asked = parser.parse_args()
    count, steps = (8, 3) if asked.quick else (260, 1000)
    cases = cases_of(asked.data, count)
    held_back = cases[: len(cases) // 4]
    found = {edge: measure(cases[len(held_back) :], held_back, edge=edge, steps=steps) for edge in EDGES}
    default = found[EDGES[0]][DEFAULT]
    result = {
        "ratio": found[EDGES[0]]["gaussian 0.5"]["windows"] / default["windows"],
        "default": DEFAULT,
        "cases": len(held_back),
        "found": {f"windows of {edge}": one for edge, one in found.items()},
        "goals": {f"as_good_as_the_best_{EDGES[0]}": default["below_best"] <= 2 * default["error"]},
    }
    report("window_overlap", result, keep=not asked.quick)


if __name__ == "__main__":
    main()
