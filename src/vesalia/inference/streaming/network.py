"""A network seen from its windows: one pass, then the probabilities of a slab at a time."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from vesalia.components.models.base import FinalActivation, Model, activate
from vesalia.imaging.windows import Box
from vesalia.inference.streaming.heads import SetAside, find_head, set_aside
from vesalia.runtime.precision import Autocast

__all__ = ["Network", "Pass"]

_OURS = "vesalia.components.models"
_LEAST_PROBE = 8
"""Edge of the image on which the last layer is looked for, at least."""


@dataclass(slots=True)
class Pass:
    """What a network said of a batch of windows.

    Attributes:
        activation: What turns ``output`` into probabilities.
        output: ``[B, C, *spatial]``, or None where the last layer is still to be applied.
        noted: What that layer gets.
        head: The layer.
    """

    activation: FinalActivation
    output: torch.Tensor | None = None
    noted: SetAside = field(default_factory=SetAside)
    head: nn.Module | None = None

    def probabilities(self, member: int, place: Box) -> torch.Tensor:
        """``[C, *place]`` float32 of one window of the batch."""
        part = (slice(member, member + 1), slice(None), *place)
        if self.output is not None:
            return activate(self.output[part], self.activation)[0]
        features, head = self.noted.features, self.head
        if features is None or head is None:
            return torch.empty(0)
        with torch.autocast(features.device.type, enabled=self.noted.autocast):
            logits: torch.Tensor = head(features[part])
        return activate(logits, self.activation)[0]


@dataclass(slots=True)
class Network:
    """A network, how it is run, and how long that takes.

    Attributes:
        model: The network, in eval mode on ``device``.
        device: Where it is.
        precision: Its number format.
        seconds: What it has taken so far.
    """

    model: nn.Module
    device: torch.device
    precision: Autocast
    seconds: float = 0.0
    _head: nn.Module | None = None
    _sought: bool = False

    def __call__(self, windows: torch.Tensor) -> Pass:
        """One pass over ``[B, C, *spatial]``."""
        with self._timed():
            windows = windows.to(self.device)
            self._seek(windows)
            if self._head is None:
                return Pass(self._activation, self._run(windows))
            with set_aside(self._head) as noted:
                output = self._run(windows)
            if output is noted.stand_in:
                return Pass(self._activation, None, noted, self._head)
            self._head = None  # the network does something else with it on images of this size
            return Pass(self._activation, self._run(windows))

    def probabilities(self, said: Pass, member: int, place: Box) -> torch.Tensor:
        """``[C, *place]`` float32 of one window of a pass."""
        with self._timed():
            return said.probabilities(member, place)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        with torch.no_grad(), self.precision():
            yield
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
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

    def _seek(self, windows: torch.Tensor) -> None:
        if self._sought or not isinstance(self.model, Model):
            return
        self._sought = True
        edge = max(self.model.size_divisor, self.model.least_size)
        edge = edge * -(-_LEAST_PROBE // edge)
        probe = windows.new_zeros(1, windows.shape[1], *[edge] * (windows.ndim - 2))
        self._head = find_head(self.model, self._run, probe)
