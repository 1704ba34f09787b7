"""ComputeAverageSurfaceDice: the share of the surfaces that agree within a tolerance (NSD); not a v3 metric."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.components.metrics.class_rule import ClassRule
from vesalia.components.metrics.surface_metric import SurfaceMetric
from vesalia.imaging.surface import Mask, surface_dice
from vesalia.registry.kinds import Count, FieldName, NonNegative, Probability

__all__ = ["ComputeAverageSurfaceDice"]


class ComputeAverageSurfaceDice(SurfaceMetric):
    """Normalized surface Dice per class on a whole subject, averaged over the classes that its label holds.

    The share of the surface voxels of prediction and label that lie within ``tolerance_mm`` of the other surface. Field
    and label are read as ComputeAverageDice reads them.

    Source: Nikolov et al., 2018, arXiv:1809.04430.

    Args:
        name: The name in logs and file names.
        field: What was predicted.
        label_field: What is true; its affine says how large voxels are.
        tolerance_mm: How far, in mm, surfaces may lie apart and still agree.
        remove_bg: Leave channel 0 of several out.
        logit_thresh: The probability above which a voxel belongs to a class.
        is_one_hot_targets: The label has a channel per class already.
        num_classes: Classes of a field that is a map of class numbers, background included.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        is_key_metric: Whether it chooses the best model.
        report_path: Folder for the metric's own report files.
    """

    def __init__(
        self,
        name: str,
        field: FieldName,
        *,
        label_field: FieldName = "label",
        tolerance_mm: NonNegative = 1.0,
        remove_bg: bool = True,
        logit_thresh: Probability = 0.5,
        is_one_hot_targets: bool = False,
        num_classes: Count | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        report_path: str | None = None,
    ) -> None:
        super().__init__(
            name,
            field,
            label_field=label_field,
            rule=ClassRule(logit_thresh, is_one_hot_targets, num_classes),
            remove_bg=remove_bg,
            do_summary=do_summary,
            do_print=do_print,
            is_key_metric=is_key_metric,
            report_path=report_path,
        )
        self.tolerance_mm = tolerance_mm

    def of_masks(self, predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> float:
        """The share of both surfaces within the tolerance."""
        return surface_dice(predicted, wanted, spacing_mm=spacing_mm, tolerance_mm=self.tolerance_mm)
