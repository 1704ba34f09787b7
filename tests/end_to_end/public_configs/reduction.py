"""How a public config is made small enough for a test on one core, and nothing else about it is changed.

- one epoch, validated at its end;
- sizes (crops, windows, target shapes, declared sizes) at most 16 voxels along each axis; 32 in pictures, and for
  SegAhnet and DenseNet121, which halve five times;
- networks at most 4 channels wide and a block deep at each level where their arguments can say so; the 3D SegAhnet,
  which has no such arguments and writes a gigabyte, trains in two archives, a Unet stands in for it in three others;
- crops, items and windows at a time at most 2; one worker;
- what is dumped for debugging goes below the archive, as an absolute path of somebody's machine may not be there.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.end_to_end.public_configs.pieces import Config, PublicConfig, component

__all__ = ["reduced", "shrunk"]

_VOXELS, _PIXELS, _COARSE = 16, 32, 32
_WIDEST = 4
_FLAT = 2


def reduced(public: PublicConfig) -> Config:
    """A training config for a test."""
    config = {**public.config, "epochs": 1, "num_training_epoch_per_valid": 1}
    if public.stands_in:
        classes = public.config["train"]["model"]["args"]["num_classes"]
        unet = component("Unet", num_classes=classes, nf_enc="4,4,4,4", nf_dec="4,4,4,4,4,4,4")
        config["train"] = {**public.config["train"], "model": unet}
    return shrunk(config)


def shrunk(config: Config) -> Config:
    """The sizes of a config made smaller; the config itself stays as it is."""
    text = json.dumps(config)
    voxels = _COARSE if any(name in text for name in ("SegAhnet", "DenseNet121")) else _VOXELS
    found: Config = _walk(config, voxels)
    return found


def _walk(node: Any, voxels: int) -> Any:
    if isinstance(node, list):
        return [_walk(child, voxels) for child in node]
    if not isinstance(node, dict):
        return node
    return {name: _reduced(name, child, voxels) for name, child in node.items()}


def _reduced(name: str, value: Any, voxels: int) -> Any:
    if name in _SIZES:
        return [min(length, _PIXELS if len(value) == _FLAT else voxels) for length in value]
    return _OTHERS[name](value) if name in _OTHERS else _walk(value, voxels)


def _widths(text: str) -> str:
    return ",".join(str(min(int(width), _WIDEST)) for width in text.split(","))


def _blocks(text: str) -> str:
    return ",".join("1" for _ in text.split(","))


def _at_most(limit: int) -> Callable[[Any], int]:
    return lambda number: min(int(number), limit)


_SIZES = frozenset({"size", "target_shape", "lower_size", "roi_size", "output_crop_size"})
_OTHERS: Mapping[str, Callable[[Any], Any]] = {
    "max_displacement": _at_most(4),
    "nf_enc": _widths,
    "nf_dec": _widths,
    "blocks_down": _blocks,
    "init_filters": _at_most(_WIDEST),
    "batch_size": _at_most(2),
    "output_batch_size": _at_most(2),
    "num_workers": _at_most(1),
    "prefetch_size": _at_most(2),
    "out_dir": lambda _: "debug",
}
