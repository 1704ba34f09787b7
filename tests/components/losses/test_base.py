"""What losses share: targets as channels, and the background left out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.components.losses.base import compared, log_smoothed, targets_like
from vesalia.errors import ConfigError, DataError


def test_labels_become_channels() -> None:
    target = torch.tensor([0, 2, 1, 2]).view(1, 1, 2, 2)
    channels = targets_like(torch.zeros(1, 3, 2, 2), target, is_onehot=False)
    assert channels.dtype is torch.float32
    assert channels[0].flatten(1).tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.float32])
def test_labels_of_any_number_type(kind: torch.dtype) -> None:
    target = torch.tensor([0, 1, 2, 1]).view(1, 1, 4).to(kind)
    channels = targets_like(torch.zeros(1, 3, 4), target, is_onehot=False)
    assert channels[0].argmax(0).tolist() == [0, 1, 2, 1]


def test_a_label_outside_the_classes_belongs_to_none() -> None:
    target = torch.tensor([0, 7]).view(1, 1, 2)
    assert targets_like(torch.zeros(1, 2, 2), target, is_onehot=False).sum(1).tolist() == [[1, 0]]


def test_one_output_channel_is_binary() -> None:
    target = torch.tensor([0, 1, 2]).view(1, 1, 3)
    assert targets_like(torch.zeros(1, 1, 3), target, is_onehot=False).flatten().tolist() == [0, 1, 1]


def test_onehot_targets_stay() -> None:
    target = torch.tensor([[0, 1], [1, 1]]).view(1, 2, 2)
    assert torch.equal(targets_like(torch.zeros(1, 2, 2), target, is_onehot=True), target.float())


@pytest.mark.parametrize(("is_onehot", "channels"), [(True, 1), (True, 2), (False, 3)])
def test_wrong_channels_are_a_config_error(is_onehot: bool, channels: int) -> None:
    with pytest.raises(ConfigError, match="is_onehot_targets: found"):
        targets_like(torch.zeros(1, 3, 4), torch.zeros(1, channels, 4), is_onehot=is_onehot)


@pytest.mark.parametrize("shape", [(1, 1, 5), (2, 1, 4), (1, 1, 1)])
def test_wrong_sizes_are_a_data_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="label: found"):
        targets_like(torch.zeros(1, 3, 4), torch.zeros(shape), is_onehot=False)


def test_background_left_out() -> None:
    probabilities, target = uniform(1, 3, 4), torch.tensor([0, 1, 2, 0]).view(1, 1, 4)
    found, wanted = compared(probabilities, target, skip_background=True, is_onehot=False)
    assert torch.equal(found, probabilities[:, 1:])
    assert wanted.tolist() == [[[0, 1, 0, 0], [0, 0, 1, 0]]]


def test_no_background_to_leave_out() -> None:
    with pytest.raises(ConfigError, match="skip_background: found true"):
        compared(uniform(1, 1, 4), torch.zeros(1, 1, 4), skip_background=True, is_onehot=False)


def test_log_of_zero_is_finite() -> None:
    probabilities = torch.tensor([0.0, 1.0], requires_grad=True)
    value = log_smoothed(probabilities, 0.0)
    value.sum().backward()
    assert value.isfinite().all()
    assert probabilities.grad is not None
    assert probabilities.grad.isfinite().all()
