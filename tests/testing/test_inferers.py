"""InfererSuite fails inferers that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from tests.drawn import normal
from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.testing.inferers import InfererSuite, VoxelwiseModel


class Broken(Inferer):
    """An inferer of whatever it is given."""

    def __init__(self, run: Callable[[torch.Tensor, Model], torch.Tensor]) -> None:
        self.run = run

    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        return self.run(image, model)


def suite_of(run: Callable[[torch.Tensor, Model], torch.Tensor]) -> InfererSuite:
    class Suite(InfererSuite):
        def make(self, dims: int) -> Inferer:
            return Broken(run)

    return Suite()


def whole(image: torch.Tensor, model: Model) -> torch.Tensor:
    result: torch.Tensor = model(image)
    return result


def test_each_broken_rule_is_found() -> None:
    with pytest.raises(AssertionError):
        suite_of(lambda image, model: whole(image, model).flip(2)).test_gives_the_networks_own_result((16, 12))
    with pytest.raises(ConfigError, match="multiples"):
        suite_of(whole).test_asks_the_network_for_sizes_it_can_take((11, 5))
    with pytest.raises(AssertionError, match="no pass"):
        suite_of(lambda image, _model: image).test_asks_the_network_for_sizes_it_can_take((16, 16))
    with pytest.raises(AssertionError, match="gradients alive"):
        suite_of(whole).test_gives_float32_without_gradients()
    with pytest.raises(AssertionError, match="expected float32"):
        suite_of(lambda image, _model: image.half()).test_gives_float32_without_gradients()
    with pytest.raises(AssertionError, match="in place"):
        suite_of(lambda image, _model: image.zero_()).test_changes_nothing_in_place()
    with pytest.raises(AssertionError, match="switched"):
        suite_of(lambda image, model: (model.train(), image)[1]).test_changes_nothing_in_place()


def test_the_voxelwise_model_keeps_a_record() -> None:
    model = VoxelwiseModel(size_divisor=2)
    image = normal(1, 1, 4, 2)
    torch.testing.assert_close(model(image), torch.cat([image, -image], dim=1).softmax(1))
    assert model.seen == [(1, 1, 4, 2)]
