"""Judging a network on whole subjects while it trains."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import torch

from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.inferers.base import Inferer
from vesalia.components.losses.base import Loss
from vesalia.components.metrics.base import Metric, SubjectFields, key_metric
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Autocast, Precision
from vesalia.training.listener import Listener

__all__ = ["SampleSource", "Validation"]


_REHEARSED = 4


class SampleSource(Protocol):
    """Whole samples in list order; a bound validation pipeline."""

    @property
    def items(self) -> int:
        """How many there are."""

    def samples(self) -> Generator[Sample, None, None]:
        """Each of them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The validation section of a config, ready to run.

    Attributes:
        source: The samples.
        inferer: Brings whole images through the network.
        metrics: What is computed; one of them is the key.
        aux_ops: Extra values that metrics may read by tag; computed on the whole volume.
        loss: The training loss, for aux ops that want it.
        device: Where the network is.
        precision: Number format and memory layout.
        autocast: Context for the network.
    """

    source: SampleSource
    inferer: Inferer
    metrics: Sequence[Metric]
    aux_ops: Sequence[AuxOp]
    loss: Loss
    device: torch.device
    precision: Precision
    autocast: Autocast

    @property
    def key(self) -> Metric:
        """The key metric: the flagged one, or else the first of which more is better.

        Raises:
            ConfigError: There are only metrics of which less is better.
        """
        chosen = key_metric(self.metrics)
        if chosen is None:
            names = ", ".join(metric.name for metric in self.metrics)
            message = f"validate.metrics: found only {names}, expected one of which more is better"
            raise ConfigError(f"{message}; write negate_value: true")
        return chosen

    @torch.no_grad()
    def run(
        self, model: Model, *, listener: Listener, stop: StopRequest, longest_s: float = math.inf
    ) -> tuple[int, float]:
        """Judge the samples; scores stay in the metrics. A request to stop ends it early.

        Args:
            model: The network; in training mode again afterwards.
            listener: Is told of each sample.
            stop: Set it to end early.
            longest_s: Seconds after which no further sample is begun, as far as the ones before tell.

        Returns:
            Samples judged, at least one, and seconds it took.
        """
        began = time.monotonic()
        done = 0
        for metric in self.metrics:
            metric.reset()
        model.eval()
        try:
            with contextlib.closing(self.source.samples()) as samples:
                for done, sample in enumerate(samples, 1):
                    self._judge(model, sample)
                    listener.validating(done, self.source.items)
                    if stop or (time.monotonic() - began) * (done + 1) / done > longest_s:
                        break
        finally:
            model.train()
        return done, time.monotonic() - began

    @torch.no_grad()
    def rehearse(self, model: Model, *, longest_s: float = math.inf) -> float:
        """Seconds one case takes, loading included: measured on the first few, as many as fit into ``longest_s``."""
        model.eval()
        began = time.monotonic()
        done = 0
        with contextlib.closing(self.source.samples()) as samples:
            for done, sample in enumerate(islice(samples, _REHEARSED), 1):
                self._judge(model, sample)
                if (time.monotonic() - began) * (done + 1) / done > longest_s:
                    break
        seconds = time.monotonic() - began
        model.train()
        return seconds / max(done, 1)

    def _judge(self, model: Model, sample: Sample) -> None:
        image = self.precision.arrange(sample["image"].as_batch().float().to(self.device))
        with self.autocast():
            probabilities = self.inferer(image, model).float()
        target = sample["label"].as_batch().to(self.device)
        values = self._aux_values(probabilities, target)
        spacing_mm = {name: volume.spacing_mm for name, volume in sample.fields.items()}
        spacing_mm["model"] = spacing_mm["image"]
        tensors = {name: volume.as_batch()[0] for name, volume in sample.fields.items()}
        tensors |= {"model": probabilities[0], "label": target[0], **values}
        fields = SubjectFields(tensors, spacing_mm=spacing_mm)
        for metric in self.metrics:
            metric.update(sample.name, fields)

    def _aux_values(self, probabilities: torch.Tensor, target: torch.Tensor) -> dict[str, torch.Tensor]:
        if not self.aux_ops:
            return {}
        loss = self.loss(probabilities, target)
        values: dict[str, torch.Tensor] = {}
        for aux_op in self.aux_ops:
            values |= aux_op(probabilities=probabilities, target=target, loss=loss)
        return values
