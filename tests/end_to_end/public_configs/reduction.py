"""How a public config is made small enough for a test on one core, and nothing else about it is changed.

- one epoch, validated at its end;
- sizes (crops, windows, target shapes, declared sizes) at most 16 voxels, 32 pixels;
- networks at most 4 channels wide and 2 levels of blocks deep where their arguments can say so;
- crops, items and windows at a time at most 2; one worker;
- what is dumped for debugging goes below the archive, as an absolute path of somebody's machine may not be there.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.end_to_end.public_configs.pieces import Config, PublicConfig

__all__ = ["reduced", "shrunk"]

_VOXELS, _PIXELS = 16, 32
_WIDEST = 4
_FLAT = 2


def reduced(public: PublicConfig) -> Config:
    """A training config for a test."""
    return shrunk({**public.config, "epochs": 1, "num_training_epoch_per_valid": 1})


def shrunk(config: Config) -> Config:
    """The sizes of a config made smaller; the config itself stays as it is."""
    found: Config = _walk(config)
    return found


def _walk(node: Any) -> Any:
    if isinstance(node, list):
        return [_walk(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {name: _REDUCTIONS[name](child) if name in _REDUCTIONS else _walk(child) for name, child in node.items()}


def _size(size: list[int]) -> list[int]:
    return [min(length, _PIXELS if len(size) == _FLAT else _VOXELS) for length in size]


def _widths(text: str) -> str:
    return ",".join(str(min(int(width), _WIDEST)) for width in text.split(","))


def _blocks(text: str) -> str:
    return ",".join("1" for _ in text.split(","))


def _at_most(limit: int) -> Callable[[Any], int]:
    return lambda number: min(int(number), limit)


_REDUCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "size": _size,
    "target_shape": _size,
    "lower_size": _size,
    "roi_size": _size,
    "output_crop_size": _size,
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
