"""DenseNet121: the conformance suite in 2D and 3D, and MONAI's network behind it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.nets.densenet import DenseNet121 as Twin

from tests.drawn import normal
from vesalia.components.models.densenet121 import DenseNet121
from vesalia.testing.models import ModelSuite


@pytest.mark.slow
class TestDenseNet121(ModelSuite):
    dims = 2
    classifies = True
    steps = 8

    def make(self) -> DenseNet121:
        return DenseNet121(3)


@pytest.mark.slow
class TestDenseNet121In3D(ModelSuite):
    classifies = True
    steps = 8
    in_channels = 2

    def make(self) -> DenseNet121:
        return DenseNet121(3, data_dims=3, in_channels=2)


def test_is_monais_network_with_an_activation() -> None:
    ours = DenseNet121(15, in_channels=3, final_activation="sigmoid", pretrain_weight_name="").eval()
    twin = Twin(spatial_dims=2, in_channels=3, out_channels=15).eval()
    twin.load_state_dict(ours.network.state_dict())
    image = normal(1, 3, 64, 64)
    torch.testing.assert_close(ours(image), twin(image).sigmoid())


def test_both_names_of_the_penalty_count() -> None:
    assert DenseNet121(2, reg_weight=0.5).reg_weight == 0.5
    assert DenseNet121(2, weight_decay=0.5).reg_weight == 0.5
