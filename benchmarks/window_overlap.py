"""How far windows should overlap: Dice on the hippocampus against the number of windows.

A small U-Net is trained on crops of 16 (or ``--window``) voxels an edge and judged on whole images (about 35 x 51 x
35), window by window, for several overlaps and both kinds of weights. ``ratio`` is the number of windows at an overlap
of a half with Gaussian weights (what others do by default) over that of the default here.

    python benchmarks/window_overlap.py --data FOLDER_OF_TASK04 [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from side_by_side import report, say

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.components.models.unet import Unet
from vesalia.imaging.nifti import read_volume
from vesalia.imaging.overlap import dice_of_labels

CLASSES: Final = 3
OVERLAPS: Final = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625)
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


def judge(model: Model, cases: list[Case], *, inferer: TFScanWindowInferer) -> dict[str, float]:
    """Mean Dice of the foreground and windows per image."""
    scores, windows = [], 0
    for image, label in cases:
        decided = inferer(image.unsqueeze(0), model).argmax(1)
        scores.append(float(dice_of_labels(decided, label, classes=CLASSES)[1:].nanmean()))
        windows += inferer.windows(image.shape[1:], size_divisor=model.size_divisor, lean=False).count
    return {"dice": float(np.mean(scores)), "windows": windows / len(cases)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of Task04_Hippocampus")
    parser.add_argument("--window", type=int, default=16, help="edge of a window in voxels")
    parser.add_argument("--quick", action="store_true", help="few and short, to see that it runs")
    asked = parser.parse_args()
    count, steps = (6, 3) if asked.quick else (260, 1000)
    cases = cases_of(asked.data, count)
    held_back = cases[: len(cases) // 4]
    model = train(cases[len(cases) // 4 :], steps, edge=asked.window)
    found: dict[str, dict[str, float]] = {}
    for mode in ("constant", "gaussian"):
        for overlap in OVERLAPS:
            kind: Literal["constant", "gaussian"] = "constant" if mode == "constant" else "gaussian"
            inferer = TFScanWindowInferer([asked.window] * 3, batch_size=8, overlap=overlap, mode=kind)
            found[f"{mode} {overlap:g}"] = one = judge(model, held_back, inferer=inferer)
            say(f"{mode:8} overlap {overlap:5.3f}: Dice {one['dice']:.4f}, {one['windows']:5.1f} windows per image")
    ratio = found["gaussian 0.5"]["windows"] / found["constant 0.25"]["windows"]
    result = {"ratio": ratio, "window": asked.window, "cases": len(held_back), "found": found}
    report("window_overlap", result, keep=not asked.quick)


if __name__ == "__main__":
    main()
