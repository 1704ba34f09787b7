"""Heads: which channels belong to which label."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.label_heads import decided, head_widths, likelihoods, require_comparable, true_channels


@pytest.mark.parametrize(
    ("channels", "labels", "label_format", "expected"),
    [(5, 5, None, (1,) * 5), (3, 1, None, (3,)), (6, 2, None, (3, 3)), (4, 2, [1, 3], (1, 3))],
)
def test_widths(channels: int, labels: int, label_format: list[int] | None, expected: tuple[int, ...]) -> None:
    assert head_widths(channels, labels, label_format=label_format) == expected


@pytest.mark.parametrize(
    ("channels", "labels", "label_format"), [(5, 2, None), (2, 0, None), (4, 2, [1, 2]), (4, 3, [1, 3])]
)
def test_widths_that_do_not_fit(channels: int, labels: int, label_format: list[int] | None) -> None:
    with pytest.raises(ConfigError, match="label_format: found"):
        head_widths(channels, labels, label_format=label_format)


def test_shares_of_a_softmax_over_all_are_the_softmax_of_each() -> None:
    logits = uniform(4, 5)
    expected = torch.cat([logits[:, :2].softmax(1), logits[:, 2:].softmax(1)], dim=1)
    torch.testing.assert_close(likelihoods(logits.softmax(1), (2, 3)), expected)


def test_binary_channels_stay() -> None:
    found = uniform(4, 3).sigmoid()
    assert torch.equal(likelihoods(found, (1, 1, 1)), found)
    assert torch.equal(likelihoods(found[:, :1], (1,)), found[:, :1])


def test_channels_that_say_nothing_share_evenly_with_a_finite_gradient() -> None:
    found = torch.zeros(1, 4, requires_grad=True)
    shares = likelihoods(found, (4,))
    shares[0, 0].backward()
    assert shares.tolist() == [[0.25] * 4]
    assert found.grad is not None
    assert bool(found.grad.isfinite().all())


def test_true_channels() -> None:
    target = torch.tensor([[1.0, 2.0], [0.25, 7.0]])
    assert true_channels(target, (1, 3)).tolist() == [[1, 0, 0, 1], [0.25, 0, 0, 0]]


def test_decided() -> None:
    found = torch.tensor([[0.6, 0.1, 0.7, 0.2], [0.4, 0.5, 0.1, 0.4]])
    assert decided(found, (1, 3)).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(("found", "target"), [((2, 3), (2, 1, 4)), ((2, 3), (3, 1)), ((2, 3, 4), (2, 1, 5))])
def test_labels_of_other_images(found: tuple[int, ...], target: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="label: found"):
        require_comparable(torch.zeros(found), torch.zeros(target))
