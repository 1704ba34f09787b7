"""KeepLargestCC: conformance, which piece stays, and which values are cleaned."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.post.keep_largest_cc import KeepLargestCC


class TestKeepLargestCC(TransformSuite):
    def make(self, dims: int) -> KeepLargestCC:
        return KeepLargestCC("label")


def _cleaned(label: torch.Tensor, labels: tuple[int, ...] | None = None) -> torch.Tensor:
    keep = KeepLargestCC("label", applied_labels=labels)
    return keep.apply(Sample({"label": Volume(label)}), NOTHING)["label"].data


def _pieces() -> torch.Tensor:
    label = torch.zeros(10, 10, dtype=torch.uint8)
    label[0, :3] = 1
    label[4:7, 4:7] = 1
    label[9, 9] = 2
    label[0, 8:] = 2
    return label


def test_keeps_the_largest_of_each_value() -> None:
    done = _cleaned(_pieces())
    assert (done == 1).sum() == 9
    assert done[5, 5] == 1
    assert done[9, 9] == 0
    assert (done[0, 8:] == 2).all()


def test_only_the_named_values() -> None:
    done = _cleaned(_pieces(), (2,))
    assert (done == 1).sum() == 12
    assert done[9, 9] == 0


def test_values_that_are_absent_do_no_harm() -> None:
    assert torch.equal(_cleaned(_pieces(), (7,)), _pieces())
    assert not _cleaned(torch.zeros(3, 3)).any()


def test_a_corner_connects() -> None:
    label = torch.eye(4, dtype=torch.uint8)
    assert torch.equal(_cleaned(label), label)


def test_of_equal_pieces_the_first_stays() -> None:
    done = _cleaned(torch.tensor([[1, 0, 1]], dtype=torch.uint8))
    assert done.tolist() == [[1, 0, 0]]


def test_masks_and_broken_numbers_are_cleaned_as_well() -> None:
    pieces = _pieces()
    assert torch.equal(_cleaned(pieces.float()), _cleaned(pieces).float())
    assert torch.equal(_cleaned(pieces == 1), _cleaned(pieces, (1,)) == 1)
    assert not _cleaned(torch.zeros(3, 3, dtype=torch.uint8)).any()
