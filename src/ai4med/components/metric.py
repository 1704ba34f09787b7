"""What a metric is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.transform_ctx import TransformContext
from ai4med.libs.metrics.metric_list import MetricList

__all__ = ["Metric"]


class Metric:
    """Judges one subject after another. A metric of your own defines ``compute``, or else all of the other three.

    Args:
        name: The name in logs and files; by default the one in the config.
        is_key_metric: Whether it chooses the best model; larger is better.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        report_path: Folder for its report files.

    Attributes:
        metric_list: The values that ``compute`` gave.
    """

    def __init__(
        self,
        name: str = "",
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
        self.metric_list = MetricList(name)

    def compute(self, ctx: TransformContext) -> float:
        """One subject's value; NaN where it has none."""
        message = f"{type(self).__name__}: found no method compute, expected one; write def compute(self, ctx)"
        raise NotImplementedError(message)

    def update(self, ctx: TransformContext) -> None:
        """Judge one subject and keep its value."""
        self.metric_list.add(_subject(ctx), self.compute(ctx))

    def get(self) -> float:
        """What the subjects since :meth:`reset` come to: the mean of their values."""
        return self.metric_list.average()

    def reset(self) -> None:
        """Forget all subjects."""
        self.metric_list.reset()


def _subject(ctx: TransformContext) -> str:
    images = [value for value in ctx.values() if isinstance(value, MedicalImage)]
    return str(next((image.get_property(ImageProperty.FILENAME) for image in images), ""))
