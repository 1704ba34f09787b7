"""v3's NegLoss aux op: the loss with its sign turned, so that larger is better."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.aux_ops.base import AuxOp
from vesalia.registry.kinds import FieldName

__all__ = ["NegLoss"]


class NegLoss(AuxOp):
    """Minus the loss under a tag, for a metric that chooses the best model by the loss.

    Args:
        tag: The value's name.
        do_summary: Whether TensorBoard gets the mean over each epoch.
        do_print: Without effect: the console shows the loss, and none of these.
    """

    def __init__(self, tag: FieldName, *, do_summary: bool = True, do_print: bool = True) -> None:
        super().__init__(do_summary=do_summary, do_print=do_print)
        self.tag = tag

    def tags(self) -> tuple[str, ...]:
        """The one tag."""
        return (self.tag,)

    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Minus the loss."""
        return {self.tag: -loss.detach()}
