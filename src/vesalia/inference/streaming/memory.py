"""What a prediction takes of the memory: told before the first one begins."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import torch
from torch import nn

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.imaging.windows import WindowPlan
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.network import Network

__all__ = ["Streamed", "network_bytes"]

_FLOAT32: Final = 4


@dataclass(frozen=True, slots=True)
class Streamed:
    """How windows are decided as they come.

    Attributes:
        inferer: Lays the windows.
        chain: What of the post-transforms is done to them.
        size_divisor: What the network wants sizes to be multiples of.
        pass_bytes: See :func:`network_bytes`.
    """

    inferer: TFScanWindowInferer
    chain: StreamedChain
    size_divisor: int
    pass_bytes: int

    def windows(self, shape: Sequence[int]) -> WindowPlan:
        """The windows of an image."""
        return self.inferer.windows(shape, size_divisor=self.size_divisor, lean=True)


def network_bytes(network: Network, inferer: TFScanWindowInferer) -> int:
    """What a pass over a batch of windows takes, about: twice the input and output of its largest layer.

    Told from a pass over a small image, the last layer left out where it is set aside; 0 where the network refuses it.
    """
    window = [size + -size % network.size_divisor for size in inferer.roi_size]
    channels = int(getattr(network.model, "in_channels", 1))
    head = network.seek_head(channels=channels, dims=len(window))
    largest = 0

    def note(_: nn.Module, given: object, output: object) -> None:
        nonlocal largest
        tensors = [one for one in (*_all(given), *_all(output)) if one.ndim == len(window) + 2]
        largest = max(largest, sum(_FLOAT32 * prod(one.shape) for one in tensors))

    layers = (one for one in network.model.modules() if one is not head and not list(one.children()))
    hooks = [layer.register_forward_hook(note) for layer in layers]
    probe = network.probe(channels=channels, dims=len(window))
    try:
        network(probe)
    except Exception:  # noqa: BLE001 - foreign code may refuse with any error; then nothing is said of it
        return 0
    finally:
        for hook in hooks:
            hook.remove()
    return round(2 * largest * inferer.batch_size * prod(window) / prod(probe.shape[2:]))


def _all(values: object) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values]
    return [one for one in values if isinstance(one, torch.Tensor)] if isinstance(values, tuple | list) else []
