"""What aux ops share: which voxels belong to which class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.aux_ops.base import class_masks
from vesalia.errors import ConfigError


def masks(
    probabilities: torch.Tensor, target: torch.Tensor, **flags: bool
) -> tuple[list[list[list[bool]]], list[list[list[bool]]]]:
    settings = {"is_onehot_targets": False, "is_independent_predictions": False, "skip_background": False} | flags
    predicted, wanted = class_masks(probabilities, target, **settings)
    return predicted.tolist(), wanted.tolist()


PROBABILITIES = torch.tensor([[[0.4, 0.6], [0.35, 0.6], [0.25, 0.1]]])
TARGET = torch.tensor([[[0, 2]]])


def test_the_largest_wins() -> None:
    predicted, wanted = masks(PROBABILITIES, TARGET)
    assert predicted == [[[True, True], [False, False], [False, False]]]
    assert wanted == [[[True, False], [False, False], [False, True]]]


def test_independent_channels_stand_for_themselves() -> None:
    predicted, _ = masks(PROBABILITIES, TARGET, is_independent_predictions=True)
    assert predicted == [[[False, True], [False, True], [False, False]]]


def test_background_left_out() -> None:
    predicted, wanted = masks(PROBABILITIES, TARGET, skip_background=True)
    assert (len(predicted[0]), len(wanted[0])) == (2, 2)


def test_onehot_targets() -> None:
    _, wanted = masks(PROBABILITIES, torch.tensor([[[0, 1], [1, 1], [0, 0]]]), is_onehot_targets=True)
    assert wanted == [[[False, True], [True, True], [False, False]]]


def test_one_channel_is_binary() -> None:
    predicted, wanted = masks(torch.tensor([[[0.4, 0.6]]]), TARGET)
    assert (predicted, wanted) == ([[[False, True]]], [[[False, True]]])


def test_faults_are_config_errors() -> None:
    with pytest.raises(ConfigError, match="is_onehot_targets: found true"):
        masks(PROBABILITIES, TARGET, is_onehot_targets=True)
    with pytest.raises(ConfigError, match="skip_background: found true"):
        masks(PROBABILITIES[:, :1], TARGET, skip_background=True)
