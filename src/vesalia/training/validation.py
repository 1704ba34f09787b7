"""Judging a network on whole subjects while it trains."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any, Protocol

import torch

from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.inferers.base import Inferer
from vesalia.components.losses.base import Loss
from vesalia.components.metrics.base import Metric, SubjectFields, SubjectScore, key_metric
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Autocast, Precision
from vesalia.runtime.together import ALONE, Ranks
from vesalia.training.listener import Listener

__all__ = ["Judged", "SampleSource", "Validation", "can_be_dealt"]


_REHEARSED = 4
_SUMMING_UP = ("update", "reset", "compute", "per_class")
"""The methods of a metric through which something other than its scores could come into its value."""


def can_be_dealt(metrics: Sequence[Metric]) -> bool:
    """Whether ranks may judge a part of the subjects each: all that ``metrics`` sum up is a score per subject.

    A metric that collects by itself, and sums that up in a method of its own, sees all subjects; so do custom metrics
    for v3.
    """
    return all(_sums_up_scores_alone(metric) for metric in metrics)


def _sums_up_scores_alone(metric: Metric) -> bool:
    """Whether the class that gives each method which collects or sums up is :class:`Metric`, or vouches for it."""
    kinds = type(metric).__mro__
    owners = (next(kind for kind in kinds if name in vars(kind)) for name in _SUMMING_UP)
    own = any(name in vars(metric) for name in _SUMMING_UP)
    return not own and all(vars(owner).get("sums_up_scores_alone", False) for owner in owners)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a validation came to, on all ranks; the scores are in the metrics.

    Attributes:
        cases: Subjects that were judged.
        seconds: What it took.
        stopped: Whether somebody asked the run to stop.
    """

    cases: int
    seconds: float
    stopped: bool


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
        ranks: The processes that train together.
        dealt: Whether each rank's source gives a part of the subjects; otherwise each gives all.
    """

    source: SampleSource
    inferer: Inferer
    metrics: Sequence[Metric]
    aux_ops: Sequence[AuxOp]
    loss: Loss
    device: torch.device
    precision: Precision
    autocast: Autocast
    ranks: Ranks = ALONE
    dealt: bool = True

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
    def run(self, model: Model, *, listener: Listener, stop: StopRequest, longest_s: float = math.inf) -> Judged:
        """Judge the samples; scores stay in the metrics, those of all ranks. A request to stop ends it early.

        Args:
            model: The network; in training mode again afterwards.
            listener: Is told of each sample.
            stop: Set it to end early.
            longest_s: Seconds after which no further sample is begun, as far as the ones before tell.
        """
        began = time.monotonic()
        done = 0
        self.ranks.share_tensors(model.buffers())  # running statistics are each rank's own in training
        for metric in self.metrics:
            metric.reset()
        model.eval()
        try:
            with contextlib.closing(self.source.samples()) as samples:
                for done, sample in enumerate(samples, 1):
                    self._judge(model, sample)
                    listener.validating(min(done * self._judges, self.source.items), self.source.items)
                    self.ranks.check()
                    if stop or (time.monotonic() - began) * (done + 1) / done > longest_s:
                        break
        finally:
            model.train()
        return self._together(done, time.monotonic() - began, stop=stop)

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
        return max(self.ranks.gather(seconds / max(done, 1)))

    @property
    def _judges(self) -> int:
        """Ranks that judge a part each."""
        return self.ranks.world if self.dealt else 1

    def _together(self, done: int, seconds: float, *, stop: StopRequest) -> Judged:
        """What all ranks judged; every rank has every score afterwards, in the list's order."""
        scores = [[_row(score) for score in metric.scores] for metric in self.metrics] if self._judges > 1 else []
        told = self.ranks.gather((done, seconds, bool(stop), scores))
        for place, metric in enumerate(self.metrics if self._judges > 1 else ()):
            in_turn = zip_longest(*(own[place] for *_, own in told))
            metric.scores = [_score(row) for turn in in_turn for row in turn if row is not None]
        cases = sum(own for own, *_ in told) if self._judges > 1 else done
        return Judged(cases, max(own for _, own, *_ in told), any(stopped for _, _, stopped, _ in told))

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


def _row(score: SubjectScore) -> list[Any]:
    """JSON data; a metric may have given numbers of NumPy's."""
    return [score.subject, float(score.value), [*map(float, score.per_class)], [*map(float, score.pooled)]]


def _score(row: Sequence[Any]) -> SubjectScore:
    subject, value, per_class, pooled = row
    return SubjectScore(subject, value, tuple(per_class), tuple(pooled))
