"""NegLoss: the loss with its sign turned, without its gradient."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.aux_ops.neg_loss import NegLoss


def test_minus_the_loss() -> None:
    op = NegLoss("negloss", do_print=False)
    loss = torch.tensor(0.5, requires_grad=True)
    values = op(probabilities=torch.zeros(1, 2, 3), target=torch.zeros(1, 1, 3), loss=2 * loss)
    assert op.tags() == ("negloss",)
    assert {tag: value.item() for tag, value in values.items()} == {"negloss": -1.0}
    assert not values["negloss"].requires_grad
    assert (op.do_print, op.do_summary) == (False, True)
