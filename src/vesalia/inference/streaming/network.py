"""A network seen from its windows: one pass, then the probabilities of a slab at a time."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import torch
from torch import nn

from vesalia.components.models.base import FinalActivation, Model
from vesalia.imaging.windows import Box
from vesalia.inference.streaming.heads import Pointwise, find_head, set_aside
from vesalia.inference.streaming.limits import Limits
from vesalia.runtime.memory import is_out_of_memory
from vesalia.runtime.precision import Autocast

__all__ = ["Network", "Pass"]

_OURS = "vesalia.components.models"
_FLOAT32 = 4
_LEAST_PROBE = 8
"""Edge of the image on which the last layer is looked for, at least."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a network said of a batch of windows.

    Attributes:
        activation: What turns it into probabilities.
        output: ``[B, C, *spatial]``; or, with ``head``, what that gets.
        head: A last layer that is still to be applied.
        autocast: Whether that happens under autocast.
    """

    activation: FinalActivation
    output: torch.Tensor
    head: Pointwise | None = None
    autocast: bool = False

    @property
    def channels(self) -> int:
        """Channels of the probabilities."""
        return self.output.shape[1] if self.head is None else self.head.out_channels

    @property
    def features(self) -> int:
        """Channels of what the last layer gets, if that can be kept for later as float32; 0 if it cannot."""
        return 0 if self.head is None or self.output.element_size() > _FLOAT32 else self.head.in_channels

    def at(self, member: int, *, place: Box) -> torch.Tensor:
        """The output of one window at a place, a view."""
        inside: Any = (slice(None), *place)
        return self.output[member][inside]

    def without_output(self) -> Pass:
        """What is to be done with the output, without it."""
        return replace(self, output=self.output.new_empty(0))

    def resumed(self, output: torch.Tensor) -> Pass:
        """The same with an output ``[C, *spatial]`` that was kept."""
        return replace(self, output=output.to(self.output.device, self.output.dtype).unsqueeze(0))

    def into(self, memory: torch.Tensor, member: int, *, place: Box, weights: torch.Tensor | None) -> None:
        """Write the probabilities of one window at a place, weighted, to float32 ``[C, *place]``."""
        part = self.at(member, place=place)
        if self.head is None:
            memory.copy_(part)
        else:
            _apply(self.head, part, memory, autocast=self.autocast)
        _activate(memory, self.activation, weights=weights)


def _apply(head: Pointwise, features: torch.Tensor, memory: torch.Tensor, *, autocast: bool) -> None:
    """A convolution of one voxel on ``[F, *spatial]`` as a product of matrices, which is quicker for few voxels."""
    weight, flat = head.weight.flatten(1), features.flatten(1)
    if autocast or not features.dtype == weight.dtype == memory.dtype:
        with torch.autocast(features.device.type, enabled=autocast):
            memory.flatten(1).copy_(weight @ flat)
    else:
        torch.mm(weight, flat, out=memory.flatten(1))
    if head.bias is not None:
        memory += head.bias.float().view(-1, *[1] * (memory.ndim - 1))


def _activate(values: torch.Tensor, activation: FinalActivation, *, weights: torch.Tensor | None) -> None:
    """Turn ``[C, *spatial]`` logits into probabilities times ``[*spatial]`` weights, in place."""
    if activation == "softmax":
        values -= values.amax(dim=0)
        values.exp_()
        total = values.sum(dim=0)
        values *= total.reciprocal_() if weights is None else torch.div(weights, total, out=total)
        return
    if activation == "sigmoid":
        values.sigmoid_()
    if weights is not None:
        values *= weights


@dataclass(slots=True)
class Network:
    """A network, how it is run, and how long that takes.

    Attributes:
        model: The network, in eval mode on ``device``.
        device: Where it is.
        precision: Its number format.
        seconds: What it has taken so far; on an accelerator until it was asked, not until it was done.
        limits: What the device had no memory for.
    """

    model: nn.Module
    device: torch.device
    precision: Autocast
    seconds: float = 0.0
    limits: Limits = field(default_factory=Limits)
    _head: Pointwise | None = None
    _sought: bool = False
    _memories: list[torch.Tensor | None] = field(default_factory=lambda: [None, None])

    def __call__(self, windows: torch.Tensor) -> Pass:
        """One pass over ``[B, C, *spatial]``."""
        with self._timed():
            windows = windows.to(self.device)
            head = self.seek_head(channels=windows.shape[1], dims=windows.ndim - 2)
            short = None if head is None else self._short_of(head, windows)
            if short is not None:
                return short
            self._head = None  # the network does something else with it on images of this size
            return Pass(self._activation, self._run(windows))

    def _short_of(self, head: Pointwise, windows: torch.Tensor) -> Pass | None:
        """A pass up to the last layer; None where the network reads or changes what that layer gives."""
        try:
            with set_aside(head) as noted:
                output = self._run(windows)
        except Exception as error:  # foreign code may say in any way that it needs the values; run as a whole it tells
            if is_out_of_memory(error):
                raise
            return None
        if not noted.times:  # it does without the layer for these images
            return Pass(self._activation, output)
        if noted.features is None or not noted.is_all_of(output):
            return None
        return Pass(self._activation, noted.features, head, noted.autocast)

    def probabilities(
        self, said: Pass, member: int, *, place: Box, weights: torch.Tensor | None = None, memory: int = 0
    ) -> torch.Tensor:
        """What one window of a pass says of a place: ``[C, *place]`` float32.

        Args:
            said: The pass.
            member: The window's place in it.
            place: Where in the window.
            weights: ``[*place]``: what to multiply with.
            memory: Which of two memories to put it in; what was there is gone.
        """
        shape = (said.channels, *(side.stop - side.start for side in place))
        room = self._memories[memory]
        if room is None or room.numel() < prod(shape):
            room = self._memories[memory] = torch.empty(prod(shape), device=self.device)
        values = room[: prod(shape)].view(shape)
        with self._timed():
            said.into(values, member, place=place, weights=weights)
        return values

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        with torch.no_grad(), self.precision():
            yield
        self.seconds += time.perf_counter() - began

    @property
    def _activation(self) -> FinalActivation:
        model = self.model
        return model.final_activation if isinstance(model, Model) and self._ends_in_logits else "linear"

    @property
    def _ends_in_logits(self) -> bool:
        """Whether evaluating it is its logits, activated: so with our own, and with what is built on them."""
        return isinstance(self.model, Model) and type(self.model).forward.__module__.startswith(_OURS)

    def _run(self, windows: torch.Tensor) -> torch.Tensor:
        model = self.model
        output: torch.Tensor = model.logits(windows) if self._ends_in_logits else model(windows)  # type: ignore[operator]
        return output

    @property
    def size_divisor(self) -> int:
        """What sizes must be multiples of."""
        return int(getattr(self.model, "size_divisor", 1))

    def probe(self, *, channels: int, dims: int) -> torch.Tensor:
        """A small image that it should take."""
        edge = max(self.size_divisor, int(getattr(self.model, "least_size", 1)))
        edge = edge * -(-_LEAST_PROBE // edge)
        return torch.zeros(1, channels, *[edge] * dims, device=self.device)

    def seek_head(self, *, channels: int, dims: int) -> Pointwise | None:
        """The last layer, if it can be set aside; it is looked for once."""
        if not self._sought and isinstance(self.model, Model):
            with torch.no_grad(), self.precision():
                self._head = find_head(self.model, self._run, image=self.probe(channels=channels, dims=dims))
        self._sought = True
        return self._head
