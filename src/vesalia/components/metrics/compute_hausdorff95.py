"""ComputeHausdorff95: how far surfaces lie apart, but for the worst 5 % (HD95); not a v3 metric."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.components.metrics.class_rule import ClassRule
from vesalia.components.metrics.surface_metric import SurfaceMetric
from vesalia.errors import ConfigError
from vesalia.imaging.surface import Mask, hausdorff_95
from vesalia.registry.kinds import Count, FieldName, Probability

__all__ = ["ComputeHausdorff95"]


class ComputeHausdorff95(SurfaceMetric):
    """The 95th percentile of the Hausdorff distance in mm, per class, averaged over the classes of the label.

    A class that the label has and the prediction lacks counts as far apart as the image is long, corner to corner.
    Field and label are read as ComputeAverageDice reads them.

    Source: Huttenlocher et al., 1993, doi:10.1109/34.232073.

    Args:
        name: The name in logs and file names.
        field: What was predicted.
        label_field: What is true; its affine says how large voxels are.
        negate_value: Turn the sign, so that larger is better; a key metric needs it.
        remove_bg: Leave channel 0 of several out.
        logit_thresh: The probability above which a voxel belongs to a class.
        is_one_hot_targets: The label has a channel per class already.
        num_classes: Classes of a field that is a map of class numbers, background included.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        is_key_metric: Whether it chooses the best model.
        report_path: Folder for the metric's own report files.

    Raises:
        ConfigError: It is the key metric and is not negated.
    """

    def __init__(
        self,
        name: str,
        field: FieldName,
        *,
        label_field: FieldName = "label",
        negate_value: bool = False,
        remove_bg: bool = True,
        logit_thresh: Probability = 0.5,
        is_one_hot_targets: bool = False,
        num_classes: Count | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        report_path: str | None = None,
    ) -> None:
        if is_key_metric and not negate_value:
            message = "negate_value: found false for the key metric, expected true, because the largest value wins"
            raise ConfigError(f"{message}; write negate_value: true")
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
        self.negate_value = negate_value
        self.larger_is_better = negate_value

    def of_masks(self, predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> float:
        """The distance in mm, negated if wanted."""
        distance_mm = hausdorff_95(predicted, wanted, spacing_mm=spacing_mm)
        return -distance_mm if self.negate_value else distance_mm
