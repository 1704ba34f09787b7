"""Turn, zoom and flip a batch of 3D crops: Vesalia's fused chain against MONAI's dictionary transforms.

Both sides get 8 crops of 96 x 96 x 96 with labels and draw a rotation, a zoom per axis and flips for each; images are
read linearly, labels by the nearest voxel. MONAI goes through the crops one by one, as its users do: with an affine
transform followed by zoom and flips, with rotation and zoom in one affine transform, and with all of them put off and
read at once (``lazy``); the quickest way counts. Both sides may use all threads. Vesalia's loops are compiled by Numba
(the extra ``fast``); what it takes without them is told as well.

    python benchmarks/batched_affine.py [--quick] [--device cuda]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import torch
from monai.data import set_track_meta
from monai.transforms import Compose as MonaiCompose
from monai.transforms import RandAffined, RandFlipd, RandZoomd
from monai.utils import convert_to_tensor
from side_by_side import in_turns, report, say

from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.compose import Compose
from vesalia.transforms.fusion import passes
from vesalia.transforms.fusion.chain import FusedChain
from vesalia.transforms.spatial.random_rotate_3d import RandomRotate3D
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip
from vesalia.transforms.spatial.random_zoom import RandomZoom

FIELDS = ("image", "label")
GOAL = 8.0
DEGREES = 17.0


class KeptMemory:
    """Memory that is used again, as a pipeline does."""

    def __init__(self) -> None:
        self.blocks: dict[str, torch.Tensor] = {}

    def take(self, name: str, shape: Any, *, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The same block for the same field."""
        if name not in self.blocks:
            self.blocks[name] = torch.empty(tuple(shape), dtype=dtype, device=like.device)
        return self.blocks[name]


def example(count: int, size: int, device: torch.device) -> Sample:
    """A batch of crops with smooth images and blocks for labels."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(count, 1, size, size, size, generator=generator).to(device)
    label = torch.zeros(count, 1, size, size, size, dtype=torch.uint8, device=device)
    label[:, :, size // 4 : size // 2, size // 4 : size // 2] = 1
    volumes = {"image": Volume(image, None, "first", batched=True)}
    volumes["label"] = replace(volumes["image"], data=label)
    return Sample(volumes, name="crops")


def monai_chains(device: torch.device) -> dict[str, MonaiCompose]:
    """The ways of a MONAI user."""
    turn = float(np.radians(DEGREES))
    modes: dict[str, Any] = {"mode": ("bilinear", "nearest"), "padding_mode": "zeros", "device": device}
    flips = [RandFlipd(FIELDS, 0.5, axis) for axis in range(3)]
    turned = RandAffined(FIELDS, prob=1.0, rotate_range=(turn,) * 3, cache_grid=False, **modes)
    both = RandAffined(FIELDS, prob=1.0, rotate_range=(turn,) * 3, scale_range=(0.1,) * 3, **modes)
    zoom = RandZoomd(FIELDS, 1.0, 0.9, 1.1, mode=("trilinear", "nearest"))
    return {
        "affine, zoom, flips": MonaiCompose([turned, zoom, *flips]),
        "affine, flips": MonaiCompose([both, *flips]),
        "affine, flips, lazy": MonaiCompose([both, *flips], lazy=True),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    count, size, repeats = (2, 32, 1) if asked.quick else (8, 96, 15)
    batch, room, dice = example(count, size, device), KeptMemory(), torch.Generator().manual_seed(0)
    factors = ([0.9] * 3, [1.1] * 3)
    chain = FusedChain(
        Compose(
            [
                RandomRotate3D(FIELDS, probability=1.0, angle=DEGREES),
                RandomZoom(lower_limits=factors[0], upper_limits=factors[1]),
                RandomSpatialFlip(FIELDS),
            ]
        )
    )

    def vesalia() -> None:
        chain(batch, dice, room)
        wait(device)

    def without_loops() -> None:
        with mock.patch.object(passes, "is_compiled", return_value=False):
            vesalia()

    def monai(theirs: MonaiCompose) -> None:
        set_track_meta(bool(theirs.lazy))  # what is put off is kept with the metadata
        given = [{name: convert_to_tensor(batch[name].data[index]) for name in FIELDS} for index in range(count)]
        crops = [theirs(each) for each in given]
        torch.stack([crop["image"] for crop in crops])
        torch.stack([crop["label"] for crop in crops])
        wait(device)

    sides = {"vesalia": vesalia, "vesalia, no Numba": without_loops}
    for name, theirs in monai_chains(device).items():
        sides[name] = lambda theirs=theirs: monai(theirs)  # type: ignore[misc] # bound now
    seconds = in_turns(sides, repeats=repeats)
    best = min(value for name, value in seconds.items() if "vesalia" not in name)
    for name, value in seconds.items():
        say(f"{name:>20}: {value * 1e3:8.1f} ms per batch of {count}")
    ratio = best / seconds["vesalia"]
    without = best / seconds["vesalia, no Numba"]
    say(f"{ratio:.1f} times as fast (goal: {GOAL:.0f}); without Numba {without:.1f} times")
    result = {"ratio": ratio, "vesalia_s": seconds["vesalia"], "monai_s": best, "seconds": seconds, "goal": GOAL}
    result["ratio_without_numba"] = without
    report("batched_affine", {**result, "device": asked.device, "crops": count, "size": size}, keep=not asked.quick)


def wait(device: torch.device) -> None:
    """Wait for a GPU to be done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
