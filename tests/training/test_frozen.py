"""Frozen parts keep their weights, their statistics too; a pattern that matches nothing is a fault."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.training.bench import Bench, tiny
from vesalia.errors import ConfigError
from vesalia.training.frozen import freeze, frozen_names


def network() -> nn.Sequential:
    """Two convolutions with batch normalisation between them."""
    return nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), nn.Conv3d(2, 2, 1))


def test_a_frozen_part_keeps_its_weights_and_the_rest_trains(tmp_path: Path) -> None:
    model, began = tiny(), tiny().state_dict()
    said = freeze(model, ["first.*"])
    Bench(tmp_path, model=model).trainer().run()
    same = {name: torch.equal(value, began[name]) for name, value in model.state_dict().items()}
    assert same == {"first.weight": True, "first.bias": True, "last.weight": False, "last.bias": False}
    assert said == "frozen_parameters: 2 of 4 tensors (84 of 92 weights) are kept"


def test_frozen_statistics_stay_and_normalise() -> None:
    model = network().train()
    freeze(model, ["1"])
    image = 5 + torch.rand(2, 1, 4, 4, 4)
    output = model(image)
    assert torch.equal(model[1].get_buffer("running_mean"), torch.zeros(2))
    model.eval()
    torch.testing.assert_close(output, model(image))


def test_layers_that_are_replaced_for_several_processes_stay_frozen() -> None:
    model = network().train()
    freeze(model, ["1"])
    nn.SyncBatchNorm.convert_sync_batchnorm(model)
    model(5 + torch.rand(2, 1, 4, 4, 4))  # which would want other processes if it were not frozen
    assert torch.equal(model[1].get_buffer("running_mean"), torch.zeros(2))


def test_statistics_of_other_parts_move_on() -> None:
    model = network().train()
    freeze(model, ["0.weight"])
    model(5 + torch.rand(2, 1, 4, 4, 4))
    assert not torch.equal(model[1].get_buffer("running_mean"), torch.zeros(2))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("first.*", {"first.weight", "first.bias"}),
        ("first", {"first.weight", "first.bias"}),
        ("first.", {"first.weight", "first.bias"}),
        ("*.bias", {"first.bias", "last.bias"}),
        ("fir?t.bias", {"first.bias"}),
        ("firs", set()),
    ],
)
def test_patterns(pattern: str, expected: set[str]) -> None:
    assert frozen_names(tiny().state_dict(), [pattern]) == expected


def test_a_pattern_that_matches_nothing_is_a_fault_with_the_near_name() -> None:
    with pytest.raises(ConfigError) as caught:
        freeze(tiny(), ["frist.*", "last.bias", "nothing.like.it"])
    near, far = caught.value.faults
    assert (near.key, near.write) == ("frozen_parameters", '"first.*" (did you mean this?)')
    assert far.write == "one of these, with * for any text"
    assert far.expected == "a pattern of names such as first.weight, first.bias, last.weight, last.bias"


def test_the_near_name_of_a_single_parameter() -> None:
    with pytest.raises(ConfigError) as caught:
        freeze(tiny(), ["first.wieght"])
    assert caught.value.faults[0].write == '"first.weight" (did you mean this?)'


def test_nothing_left_to_train_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"freezes all 4 tensors.*some to be left"):
        freeze(tiny(), ["*"])


def test_without_patterns_nothing_happens() -> None:
    model = tiny()
    assert freeze(model, []) == ""
    assert all(parameter.requires_grad for parameter in model.parameters())
