"""The size of the images that a network is traced with."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from vesalia.errors import ConfigError
from vesalia.inference.weights import LoadedModel

__all__ = ["choose_input_shape", "spatial_axes"]

_EDGE = 32
"""Voxels along an axis where nothing says more; room for every network that ships."""


def choose_input_shape(loaded: LoadedModel, given: Sequence[int] | None) -> tuple[int, ...]:
    """``(C, *spatial)``: what was given, else the crops it was trained on, else a small size that it takes.

    Args:
        loaded: The network with its card.
        given: ``(C, *spatial)``, or None.

    Raises:
        ConfigError: What was given does not fit the network.
    """
    channels = int(loaded.card["in_channels"])
    divisor = int(getattr(loaded.model, "size_divisor", 1))
    dims = spatial_axes(loaded.model)
    if given is not None:
        _require_fit(given, channels, dims=dims, divisor=divisor)
        return tuple(given)
    trained = _trained_on(loaded.card)
    if trained is not None and len(trained) == dims and not any(size % divisor for size in trained):
        return (channels, *trained)
    edge = math.ceil(_EDGE / divisor) * divisor
    return (channels, *[edge] * dims)


def spatial_axes(model: nn.Module) -> int:
    """2 or 3: what the network convolves over."""
    kinds = {type(module) for module in model.modules()}
    return 2 if any(issubclass(kind, nn.Conv2d) for kind in kinds) else 3


def _require_fit(given: Sequence[int], channels: int, *, dims: int, divisor: int) -> None:
    fits = len(given) == dims + 1 and given[0] == channels and all(size > 0 for size in given)
    if fits and not any(size % divisor for size in given[1:]):
        return
    edge = math.ceil(_EDGE / divisor) * divisor
    example = " ".join(map(str, [channels, *[edge] * dims]))
    multiples = f", multiples of {divisor}" if divisor > 1 else ""
    expected = f"{channels} for the channels and {dims} sizes{multiples}"
    raise ConfigError(f"input shape: found {' '.join(map(str, given))}, expected {expected}; write {example!r}")


def _trained_on(card: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The ``output_crop_size`` of the train config in the card."""
    try:
        declared = card["config"]["train"]["image_pipeline"]["args"]["output_crop_size"]
        sizes = tuple(int(size) for size in declared)
    except (KeyError, TypeError, ValueError):
        return None
    return sizes if sizes and min(sizes) > 0 else None
