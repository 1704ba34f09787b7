"""v3's ComputeAccuracy aux op: the part of the labels that the network gets right."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.aux_ops.base import AuxOp
from vesalia.imaging.label_heads import decided, head_widths, require_comparable
from vesalia.registry.kinds import FieldName, Widths

__all__ = ["ComputeAccuracy"]

_THRESHOLD = 0.5


class ComputeAccuracy(AuxOp):
    """The part of the labels that is decided rightly, mean over items and labels.

    An n-way label is decided by the largest of its channels, a binary one by whether its channel is above 0.5. A soft
    label counts as 1 above 0.5.

    Args:
        tag: The value's name.
        use_sigmoid: Each channel stands for itself, above 0.5 or not; labels have a number per channel.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.
        do_summary: Whether TensorBoard gets the mean over each epoch.
        do_print: Without effect: the console shows the loss, and none of these.
    """

    def __init__(
        self,
        tag: FieldName,
        *,
        use_sigmoid: bool = False,
        label_format: Widths | None = None,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        super().__init__(do_summary=do_summary, do_print=do_print)
        self.tag = tag
        self.use_sigmoid = use_sigmoid
        self.label_format = label_format

    def tags(self) -> tuple[str, ...]:
        """The one tag."""
        return (self.tag,)

    @torch.no_grad()
    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The accuracy.

        Raises:
            ConfigError: Channels and labels do not fit.
            DataError: Labels do not belong to the predictions.
        """
        require_comparable(probabilities, target)
        format_ = (1,) * probabilities.shape[1] if self.use_sigmoid else self.label_format
        heads = head_widths(probabilities.shape[1], target.shape[1], label_format=format_)
        binary = torch.tensor([width == 1 for width in heads], device=target.device)
        binary = binary.view(1, -1, *[1] * (target.ndim - 2))
        wanted = torch.where(binary, (target > _THRESHOLD).float(), target.float())
        return {self.tag: (decided(probabilities, heads).float() == wanted).float().mean()}
