"""The interface of inferers: one call, image and network in, probabilities out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.testing.inferers import VoxelwiseModel


def test_an_inferer_is_one_call() -> None:
    class Whole(Inferer):
        def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
            result: torch.Tensor = model(image)
            return result

    assert Whole()(torch.zeros(1, 1, 4, 4), VoxelwiseModel()).shape == (1, 2, 4, 4)
    with pytest.raises(TypeError):
        Inferer()  # type: ignore[abstract]
