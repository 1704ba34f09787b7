"""Custom metrics for v3, which read NumPy arrays from a context, as metrics."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.metric import Metric as V3Metric
from vesalia.components.metrics.base import Metric, SubjectScore, spacing_of
from vesalia.errors import DataError, VesaliaError
from vesalia.imaging.array_image import context_of
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.registry.target import Brought
from vesalia.runtime.error_place import place_of

__all__ = ["Ai4medMetric"]


class Ai4medMetric(Metric):
    """A class on ``ai4med``'s ``Metric``.

    One with ``compute`` gives a value per subject, and the metric is their mean. One with ``update``, ``get`` and
    ``reset`` of its own says itself what all subjects together come to; a subject's value is what it says of that one
    alone.

    Args:
        brought: The class.
        **arguments: Its arguments.

    Attributes:
        custom: The object.
    """

    def __init__(self, brought: Brought, /, **arguments: Any) -> None:
        self._brought = brought
        self.custom: V3Metric = brought.made_of(**arguments)
        self._alone: V3Metric = copy.deepcopy(self.custom)
        kind = type(self.custom)
        self.is_pooled = kind.update is not V3Metric.update or kind.get is not V3Metric.get
        name = self._told("name", "")
        super().__init__(
            str(name) or brought.called,
            is_key_metric=bool(self._told("is_key_metric", default=False)),
            do_summary=bool(self._told("do_summary", default=True)),
            do_print=bool(self._told("do_print", default=True)),
            report_path=self._told("report_path", None),
        )

    def _told(self, name: str, default: object) -> Any:
        """What the object says of itself, as an attribute or as a method."""
        value = getattr(self.custom, name, default)
        return value() if callable(value) else value

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """What the custom code says of one subject; one that judges all together is told of it, too.

        Raises:
            DataError: It failed, or gave no number; the message says in which line.
        """
        context = _context(subject, fields)
        if not self.is_pooled:
            return SubjectScore(subject, self._number(lambda: self.custom.compute(context)))
        alone = self._number(lambda: self._judged_alone(context))
        self._safely(lambda: self.custom.update(_context(subject, fields)))
        return SubjectScore(subject, alone)

    def _judged_alone(self, context: TransformContext) -> object:
        self._alone.reset()
        self._alone.update(context)
        return self._alone.get()

    def reset(self) -> None:
        """Forget all subjects."""
        super().reset()
        if self.is_pooled:
            self._safely(self.custom.reset)

    def compute(self) -> float:
        """The mean of the subjects' values, or what the custom code says of them together."""
        return self._number(self.custom.get) if self.is_pooled else super().compute()

    def _number(self, work: Callable[[], object]) -> float:
        value = self._safely(work)
        if np.ndim(value) == 0 and isinstance(value, int | float | np.number | np.ndarray):
            return float(value)
        found = f"metric {self.name}: found {value!r:.100} as the result of {self._brought.file.name}"
        raise DataError(f"{found}, expected a number; write return float(...)")

    def _safely(self, work: Callable[[], object]) -> Any:
        try:
            return work()
        except VesaliaError:
            raise
        except Exception as error:
            place = place_of(error, self._brought.file.parent)
            found = f"metric {self.name}: found an error of its own code: {type(error).__name__}: {error}{place}"
            raise DataError(f"{found}; check its arguments, its fields and that line") from error


def _context(subject: str, fields: dict[str, torch.Tensor]) -> TransformContext:
    """Fields with places in space as images ``CDHW`` or ``CHW``, others as arrays, single numbers as such."""
    volumes = {name: _volume(subject, data, spacing_of(fields, name)) for name, data in fields.items() if data.ndim > 2}
    context = context_of(Sample(volumes, name=subject))
    for name, data in fields.items():
        if name not in volumes:
            context[name] = data.detach().cpu().numpy() if data.ndim else float(data)
    return context


def _volume(subject: str, data: torch.Tensor, spacing_mm: tuple[float, ...]) -> Volume:
    affine = np.diag([*spacing_mm, *[1.0] * (4 - len(spacing_mm))])
    return Volume(data, affine, "first", source=Source((Path(subject),), Grid(tuple(data.shape[1:]), affine)))
