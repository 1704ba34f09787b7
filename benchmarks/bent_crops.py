"""Crops that are turned, scaled and bent elastically: Vesalia's one reading against MONAI's dictionary transforms.

Both sides cut 8 crops of 96 x 96 x 96 around foreground and background out of a volume of 256 x 256 x 128 and its
label that lie in memory, and turn, scale and bend each; foreground is found before. MONAI goes through the crops one
by one, in three ways: crop and ``Rand3DElasticd``, which turns and scales as well; crop, ``RandAffined`` and
``RandGridDistortiond``, which bends along each axis alone and is much cheaper; and the same put off and read at once
where MONAI can (``lazy``). The quickest way counts. The work is alike, not the same: MONAI turns a crop after it was
cut, so that corners become 0 where Vesalia reads on in the volume, smooths a displacement per voxel (elastic) where
Vesalia has 5 control points per axis, and reads float32 where Vesalia reads int16. Both sides may use all threads.
Vesalia's loops are compiled by Numba (the extra ``fast``); what it takes without them is told as well.

    python benchmarks/bent_crops.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from typing import Any
from unittest import mock

import numpy as np
import torch
from monai.data import set_track_meta
from monai.transforms import Compose as MonaiCompose
from monai.transforms import (
    FgBgToIndicesd,
    Rand3DElasticd,
    RandAffined,
    RandCropByPosNegLabeld,
    RandGridDistortiond,
)
from side_by_side import in_turns, report, say

from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.compose import Compose
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from vesalia.transforms.fusion import passes
from vesalia.transforms.fusion.chain import FusedChain

FIELDS = ("image", "label")
DEGREES = 20.0
SCALE = 0.1


def volumes(shape: tuple[int, int, int]) -> dict[str, torch.Tensor]:
    """An image of noise in int16 and a label with one block."""
    generator = torch.Generator().manual_seed(0)
    label = torch.zeros(1, *shape, dtype=torch.uint8)
    label[0][tuple(slice(length // 4, length // 2) for length in shape)] = 1
    return {"image": torch.randint(-900, 900, (1, *shape), generator=generator, dtype=torch.int16), "label": label}


def monai_chains(count: int, size: int) -> dict[str, MonaiCompose]:
    """The ways of a MONAI user."""
    turn = float(np.radians(DEGREES))
    keys: dict[str, Any] = {"fg_indices_key": "label_fg_indices", "bg_indices_key": "label_bg_indices"}
    crop = RandCropByPosNegLabeld(FIELDS, "label", [size] * 3, num_samples=count, **keys)
    modes: dict[str, Any] = {"mode": ("bilinear", "nearest"), "padding_mode": "zeros"}
    moves: dict[str, Any] = {"rotate_range": (turn,) * 3, "scale_range": (SCALE,) * 3}
    elastic = Rand3DElasticd(FIELDS, (5, 8), (100, 200), prob=1.0, **moves, **modes)
    affine = RandAffined(FIELDS, prob=1.0, cache_grid=False, **moves, **modes)
    grid = RandGridDistortiond(FIELDS, num_cells=5, prob=1.0, **modes)
    return {
        "elastic": MonaiCompose([crop, elastic]),
        "affine, grid distortion": MonaiCompose([crop, affine, grid]),
        "affine, grid distortion, lazy": MonaiCompose([crop, affine, grid], lazy=True),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    count, size, repeats = (2, 24, 1) if asked.quick else (8, 96, 9)
    data = volumes((32, 40, 48) if asked.quick else (256, 256, 128))
    crop = FastPosNegRatioCropROI(
        [size] * 3,
        rotation=True,
        rotation_degree=DEGREES,
        scale=True,
        scale_factor=SCALE,
        deform=True,
        batch_size=count,
    )
    cached = crop.prepare(Sample({name: Volume(data[name], np.eye(4), "first") for name in FIELDS}, name="volume"))
    chain, dice = FusedChain(Compose([crop])), torch.Generator().manual_seed(0)
    given = FgBgToIndicesd("label")({"image": data["image"].float(), "label": data["label"]})

    def vesalia() -> None:
        chain(cached, dice)

    def without_loops() -> None:
        with mock.patch.object(passes, "is_compiled", return_value=False):
            vesalia()

    def monai(theirs: MonaiCompose) -> None:
        set_track_meta(bool(theirs.lazy))  # what is put off is kept with the metadata
        crops = theirs(given)
        for name in FIELDS:
            torch.stack([each[name] for each in crops])

    sides = {"vesalia": vesalia, "vesalia, no Numba": without_loops}
    for name, theirs in monai_chains(count, size).items():
        sides[name] = lambda theirs=theirs: monai(theirs)  # type: ignore[misc] # bound now
    seconds = in_turns(sides, repeats=repeats)
    best = min(value for name, value in seconds.items() if "vesalia" not in name)
    for name, value in seconds.items():
        say(f"{name:>30}: {value * 1e3:8.1f} ms for {count} crops")
    ratio, without = best / seconds["vesalia"], best / seconds["vesalia, no Numba"]
    elastic = seconds["elastic"] / seconds["vesalia"]
    say(f"{ratio:.1f} times as fast; against MONAI's elastic {elastic:.1f} times; without Numba {without:.1f} times")
    result = {"ratio": ratio, "vesalia_s": seconds["vesalia"], "monai_s": best, "seconds": seconds}
    result |= {"ratio_elastic": elastic, "ratio_without_numba": without}
    report("bent_crops", {**result, "crops": count, "size": size}, keep=not asked.quick)


if __name__ == "__main__":
    main()
