"""What a metric is: told of one subject after another, asked for the summary at the end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from vesalia.errors import ConfigError

__all__ = ["Metric", "SubjectFields", "SubjectScore", "key_metric", "required_field", "spacing_of"]


@dataclass(frozen=True, slots=True)
class SubjectScore:
    """One subject's result.

    Attributes:
        subject: Name of the subject (the image file's stem).
        value: The score; NaN where the metric is not defined (no class of the label is present).
        per_class: A score per class where the metric has them; NaN for absent classes.
        pooled: What the subject adds to a metric that judges all subjects together.
    """

    subject: str
    value: float
    per_class: tuple[float, ...] = ()
    pooled: tuple[float, ...] = ()


class SubjectFields(dict[str, torch.Tensor]):
    """The fields of one subject by name, as metrics get them, and how far apart their voxels are.

    Attributes:
        spacing_mm: Field name to the edge lengths of its voxels, in axis order; values without a place have none.
    """

    def __init__(
        self, fields: Mapping[str, torch.Tensor], *, spacing_mm: Mapping[str, tuple[float, ...]] | None = None
    ) -> None:
        super().__init__(fields)
        self.spacing_mm = dict(spacing_mm or {})


class Metric(ABC):
    """Collects a score per subject; larger must be better for the key metric.

    Attributes:
        larger_is_better: Whether the metric can choose a model, or say which case is best.
        name: The name in logs and file names.
        is_key_metric: Whether this metric chooses the best model.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        report_path: Folder for ``<name>_raw_results.txt`` and ``<name>_summary_results.txt``; None for none.
        scores: What was collected since :meth:`reset`.
        is_pooled: Whether all subjects are judged together: none has a value of its own, :meth:`compute` has it.
        sums_up_scores_alone: Whether what this class says of all subjects comes from ``scores`` and nothing else, so
            that several processes may judge a part of the subjects each. It speaks for the methods of the very class
            that writes it: one below that overrides ``compute``, say, writes it again.
    """

    is_pooled: bool = False
    sums_up_scores_alone: ClassVar[bool] = True
    larger_is_better: bool = True

    def __init__(
        self,
        name: str,
        *,
        is_key_metric: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
        report_path: str | None = None,
    ) -> None:
        self.name = name
        self.is_key_metric = is_key_metric
        self.do_summary = do_summary
        self.do_print = do_print
        self.report_path = report_path
        self.scores: list[SubjectScore] = []

    @abstractmethod
    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """Judge one subject: fields are ``[C, D, H, W]`` tensors or scalars (aux-op tags).

        Training and evaluation give :class:`SubjectFields`; :func:`spacing_of` asks them for millimetres.
        """

    def update(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """Judge one subject and keep the score."""
        scored = self.score(subject, fields)
        self.scores.append(scored)
        return scored

    def reset(self) -> None:
        """Forget all scores."""
        self.scores = []

    def compute(self) -> float:
        """The mean over subjects, NaN scores left out; NaN if nothing is left."""
        values = [s.value for s in self.scores if not math.isnan(s.value)]
        return float(np.mean(values)) if values else math.nan

    def per_class(self) -> tuple[float, ...]:
        """The mean per class over subjects, absent classes left out."""
        rows = [s.per_class for s in self.scores if s.per_class]
        if not rows:
            return ()
        columns = zip(*rows, strict=True)
        return tuple(float(np.nanmean(c)) if not np.all(np.isnan(c)) else math.nan for c in columns)


def required_field(fields: dict[str, torch.Tensor], name: str, *, metric: str) -> torch.Tensor:
    """The field a metric asks for.

    Raises:
        ConfigError: There is none of that name.
    """
    if name not in fields:
        names = ", ".join(sorted(fields)) or "none"
        raise ConfigError(f"metric {metric}: found no field {name!r}, expected one of: {names}; write one of them")
    return fields[name]


def spacing_of(fields: Mapping[str, torch.Tensor], name: str) -> tuple[float, ...]:
    """Edge lengths in mm of the voxels of a ``[C, *spatial]`` field; 1 mm each where nobody knows."""
    known = fields.spacing_mm.get(name) if isinstance(fields, SubjectFields) else None
    return known or (1.0,) * (fields[name].ndim - 1)


def key_metric(metrics: Sequence[Metric]) -> Metric | None:
    """The metric that chooses: the flagged one, or else the first of which more is better; None if there is none."""
    flagged = next((metric for metric in metrics if metric.is_key_metric), None)
    return flagged or next((metric for metric in metrics if metric.larger_is_better), None)
