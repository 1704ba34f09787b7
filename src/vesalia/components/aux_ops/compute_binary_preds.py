"""v3's ComputeBinaryPreds aux op: predictions and labels of a classification under names of their own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.aux_ops.base import AuxOp
from vesalia.imaging.label_heads import require_comparable
from vesalia.registry.kinds import FieldName

__all__ = ["ComputeBinaryPreds"]


class ComputeBinaryPreds(AuxOp):
    """What is predicted of an image and what is true, for metrics that read these fields, such as ComputeAUC.

    The predictions are the network's probabilities, not decided: a ROC curve needs their order.

    Args:
        binary_preds_name: The field of the predictions.
        binary_labels_name: The field of the labels.
        do_summary: Without effect: a vector per image is no curve.
        do_print: Without effect: the console shows the loss, and none of these.
    """

    per_subject = True

    def __init__(
        self,
        binary_preds_name: FieldName = "binary_preds",
        *,
        binary_labels_name: FieldName = "binary_labels",
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        super().__init__(do_summary=do_summary, do_print=do_print)
        self.binary_preds_name = binary_preds_name
        self.binary_labels_name = binary_labels_name

    def tags(self) -> tuple[str, ...]:
        """Both fields."""
        return (self.binary_preds_name, self.binary_labels_name)

    @torch.no_grad()
    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """``[C]`` probabilities and ``[labels]`` truths of one image.

        Raises:
            DataError: Labels do not belong to the predictions.
        """
        require_comparable(probabilities, target)
        return {self.binary_preds_name: probabilities[0], self.binary_labels_name: target[0]}
