"""What a prediction takes of the memory: told before the first one begins."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

import psutil
import torch
from torch import nn

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.imaging.label_loops import loops_bytes
from vesalia.imaging.windows import WindowPlan
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.heads import Pointwise
from vesalia.inference.streaming.memory_plan import MemoryPlan
from vesalia.inference.streaming.network import Network
from vesalia.inference.streaming.postponing import waiting_bytes
from vesalia.inference.streaming.prediction import BUFFER_BYTES

__all__ = ["Streamed", "network_bytes"]

_FLOAT32: Final = 4
_WORK_BYTES: Final = 128_000_000
"""Measured: slabs, what :mod:`~vesalia.inference.streaming.heap` lets lie, what torch sets up at its first use."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """How windows are decided as they come.

    Attributes:
        inferer: Lays the windows.
        chain: What of the post-transforms is done to them.
        size_divisor: What the network wants sizes to be multiples of.
        pass_bytes: See :func:`network_bytes`.
        features: Channels of what the last layer gets, where that can be set aside; otherwise 0.
    """

    inferer: TFScanWindowInferer
    chain: StreamedChain
    size_divisor: int
    pass_bytes: int
    features: int = 0

    @classmethod
    def of(cls, network: Network, inferer: TFScanWindowInferer, *, chain: StreamedChain) -> Streamed:
        """How a network's windows are decided."""
        pass_bytes = network_bytes(network, inferer)  # its pass shows whether the last layer can be set aside
        head = _head(network, inferer)
        features = 0 if head is None else head.in_channels
        return cls(inferer, chain, network.size_divisor, pass_bytes, features)

    def windows(self, shape: Sequence[int]) -> WindowPlan:
        """The windows of an image."""
        return self.inferer.windows(shape, size_divisor=self.size_divisor, lean=True)

    def memory(
        self, subject: str, shape: tuple[int, ...], *, target: tuple[int, ...], classes: int, image_bytes: int
    ) -> MemoryPlan:
        """What a subject takes.

        Args:
            subject: Its name.
            shape: Voxels of the image as it goes through the network.
            target: Voxels of the grid that the classes are decided on.
            classes: Channels of the network's output.
            image_bytes: What the image takes, once as it was read and once as it is prepared.
        """
        windows = self.windows(shape)
        waiting = waiting_bytes(windows, classes=classes, features=self.features)
        if target != shape:
            waiting += _FLOAT32 * classes * windows.face_voxels
        return MemoryPlan(
            subject,
            shape,
            windows.count,
            psutil.Process().memory_info().rss,
            image_bytes=image_bytes,
            result_bytes=prod(target) * (1 if self.chain.threshold is None else classes),
            waiting_bytes=min(waiting, BUFFER_BYTES),
            file_bytes=max(0, waiting - BUFFER_BYTES),
            network_bytes=self.pass_bytes,
            work_bytes=_WORK_BYTES + (loops_bytes() if self.chain.threshold is None else 0),
        )


def network_bytes(network: Network, inferer: TFScanWindowInferer) -> int:
    """What a pass over a batch of windows takes, about: twice the input and output of its largest layer.

    Told from a pass over a small image, the last layer left out where it is set aside; 0 where the network refuses it.
    """
    window = [size + -size % network.size_divisor for size in inferer.roi_size]
    channels, head = _channels(network), _head(network, inferer)
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


def _channels(network: Network) -> int:
    return int(getattr(network.model, "in_channels", 1))


def _head(network: Network, inferer: TFScanWindowInferer) -> Pointwise | None:
    return network.seek_head(channels=_channels(network), dims=len(inferer.roi_size))


def _all(values: object) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values]
    return [one for one in values if isinstance(one, torch.Tensor)] if isinstance(values, tuple | list) else []
