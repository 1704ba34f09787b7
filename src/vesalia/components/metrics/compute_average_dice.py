"""v3's ComputeAverageDice metric: Dice per subject on whole volumes, then the mean."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.metrics.base import Metric, SubjectScore, required_field
from vesalia.components.metrics.class_rule import ClassMaps, ClassRule
from vesalia.errors import DataError
from vesalia.imaging.overlap import dice_of_labels, dice_of_masks, present_mean
from vesalia.registry.kinds import Count, FieldName, Probability

__all__ = ["ComputeAverageDice"]


class ComputeAverageDice(Metric):
    """Dice per class on a whole subject, averaged over the classes that its label holds.

    A field with several channels holds probabilities, one channel per class. Channels that sum to one
    (softmax) over more than two classes are decided by the largest, since no class need reach a half; all others,
    and all with a ``logit_thresh`` other than 0.5, channel by channel at ``logit_thresh``.
    A field with one channel is a mask (after ``SplitBasedOnLabel``, say) and is compared as such: what is above
    ``logit_thresh`` with what is above 0 in the label. With ``num_classes`` it is a map of class numbers (after
    ``ArgmaxAcrossChannels``, say) and is compared class by class.

    Args:
        name: The name in logs and file names.
        field: What was predicted: ``[C, D, H, W]`` probabilities, or a ``[1, D, H, W]`` mask.
        label_field: What is true: a ``[1, D, H, W]`` label map, or ``[C, D, H, W]`` with ``is_one_hot_targets``.
        is_2d: Without effect: the field's shape says it.
        remove_bg: Leave channel 0 of several out.
        logit_thresh: The probability above which a voxel belongs to a class.
        is_one_hot_targets: The label has a channel per class already.
        num_classes: Classes of a field that is a map of class numbers, background included; not a v3 argument.
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
        is_2d: bool = False,
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
            name, is_key_metric=is_key_metric, do_summary=do_summary, do_print=do_print, report_path=report_path
        )
        self.field = field
        self.label_field = label_field
        self.is_2d = is_2d
        self.remove_bg = remove_bg
        self.logit_thresh = logit_thresh
        self.is_one_hot_targets = is_one_hot_targets
        self.num_classes = num_classes

    @torch.no_grad()
    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """Dice per class (the background left out with ``remove_bg``) and their mean.

        Raises:
            ConfigError: A field is not there.
            DataError: Prediction and label have different shapes.
        """
        predicted = required_field(fields, self.field, metric=self.name)
        wanted = required_field(fields, self.label_field, metric=self.name).to(predicted.device)
        rule = ClassRule(self.logit_thresh, self.is_one_hot_targets, self.num_classes)
        try:
            read = rule.read(predicted, wanted)
        except DataError as error:
            raise DataError(f"{subject}: metric {self.name}: {error.message}") from error
        if isinstance(read, ClassMaps):
            scores = dice_of_labels(read.predicted, read.wanted, classes=read.classes)
        else:
            scores = dice_of_masks(read.predicted, read.wanted)
        if self.remove_bg and len(scores) > 1:
            scores = scores[1:]
        return SubjectScore(subject, float(present_mean(scores)), tuple(scores.tolist()))
