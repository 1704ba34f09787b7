"""UnetParallel: a Unet by another name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.drawn import normal
from vesalia.components.models.unet import Unet
from vesalia.components.models.unet_parallel import UnetParallel
from vesalia.testing.models import ModelSuite


class TestUnetParallel(ModelSuite):
    def make(self) -> UnetParallel:
        return UnetParallel(3, nf_enc=(4, 4), nf_dec=(4, 4, 4, 4, 4))


def test_is_a_unet() -> None:
    ours = UnetParallel(2, nf_enc=(4, 4), nf_dec=(4, 4, 4, 4, 4)).eval()
    twin = Unet(2, nf_enc=(4, 4), nf_dec=(4, 4, 4, 4, 4)).eval()
    twin.load_state_dict(ours.state_dict())
    image = normal(1, 1, 8, 8, 8)
    assert torch.equal(ours(image), twin(image))
