"""How much memory and disk a training takes: rough figures, from the numbers a config holds.

Each is meant to be right within a factor of two, and rather too large than too small.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any

__all__ = ["activation_bytes", "cached_item_bytes", "weight_bytes", "widths_of"]

_FLOAT32 = 4
_KEPT_PER_LAYER = 3
"""A convolution's output, its normalised form and what the activation gives: each is kept for the way back."""
_OTHER_MODEL_CHANNELS = 128
_WIDE = (64,) * 7


def activation_bytes(model: str, args: Mapping[str, Any], *, crop: Sequence[int], batch: int) -> int:
    """What a step keeps for the way back, for ``batch`` crops of ``crop`` voxels."""
    return round(_FLOAT32 * _KEPT_PER_LAYER * prod(crop) * batch * _channels_at_full_size(model, args))


def cached_item_bytes(
    shape: Sequence[int],
    *,
    image_channels: int,
    label_channels: int = 1,
    image_bytes: int = _FLOAT32,
    label_bytes: int = _FLOAT32,
) -> int:
    """A cached item: image and label on the resampled grid.

    Args:
        shape: Voxels per axis.
        image_channels: Channels of the image.
        label_channels: Channels of the label.
        image_bytes: Bytes of a voxel of the image: 4, or fewer where whole numbers are kept as such.
        label_bytes: Bytes of a voxel of the label.
    """
    return prod(shape) * (image_bytes * image_channels + label_bytes * label_channels)


def weight_bytes(model: str, args: Mapping[str, Any]) -> int:
    """The weights as float32."""
    if model == "SegResnet":
        width, levels = int(args.get("init_filters", 8)), widths_of(args.get("blocks_down", "1,2,2,4"))
        blocks = (2 * 27 * count * (width << level) ** 2 for level, count in enumerate(levels))
        return 2 * _FLOAT32 * sum(blocks)
    encoder, decoder = widths_of(args.get("nf_enc", _WIDE[:4])), widths_of(args.get("nf_dec", _WIDE))
    layers = [1, *encoder, *decoder]
    skips = [*reversed(encoder), *(0 for _ in decoder)]
    kernels = sum(27 * before * after for before, after in pairwise(layers))
    return _FLOAT32 * (kernels + sum(27 * skip * width for skip, width in zip(skips, decoder, strict=False)))


def _channels_at_full_size(model: str, args: Mapping[str, Any]) -> float:
    """Channels of all layers together, each counted by its part of the full-size voxels; the output included."""
    output = float(args.get("num_classes", 2))
    if model == "Unet":
        return output + _unet_channels(widths_of(args.get("nf_enc", ())), widths_of(args.get("nf_dec", ())))
    if model == "SegResnet":
        width = int(args.get("init_filters", 8))
        down, up = widths_of(args.get("blocks_down", "1,2,2,4")), widths_of(args.get("blocks_up", "1,1,1"))
        levels = [2.0 * blocks * width / 4.0**level for level, blocks in enumerate(down)]
        levels += [2.0 * blocks * width / 4.0**level for level, blocks in enumerate(reversed(up))]
        return output + 2 * width + sum(levels)
    return output + _OTHER_MODEL_CHANNELS


def _unet_channels(encoder: Sequence[int], decoder: Sequence[int]) -> float:
    if not encoder or len(decoder) != len(encoder) + 3:
        return _OTHER_MODEL_CHANNELS
    total = sum(width / 8.0**level for level, width in enumerate(encoder, start=1))
    rising = decoder[: len(encoder)]
    total += sum(2 * width / 8.0 ** (len(encoder) - level) for level, width in enumerate(rising))
    half, last, full = decoder[len(encoder) :]
    return total + half / 8 + half / _KEPT_PER_LAYER + last + full


def widths_of(value: object) -> tuple[int, ...]:
    """Widths as a config writes them: numbers, or a comma string."""
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(int(part) for part in parts) if isinstance(parts, Sequence) else ()
