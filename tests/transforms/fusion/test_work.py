"""A sample at work: nothing is computed before it must be, nothing that came in is changed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import DataError
from vesalia.testing.transforms import example_sample
from vesalia.transforms.fusion.work import FRESH, Work

STARTS = torch.tensor([[1, 2, 1], [0, 0, 0]])


def test_untouched_fields_are_passed_on_as_they_came() -> None:
    sample = example_sample((6, 5, 4))
    done = Work.on(sample).finish()
    assert done["image"] is sample["image"]


def test_what_came_in_is_not_changed() -> None:
    sample = example_sample((6, 5, 4))
    before = sample["image"].data.clone()
    work = Work.on(sample)
    work.settle("image").add_(5.0)
    assert torch.equal(sample["image"].data, before)
    assert torch.equal(work.finish()["image"].data, before + 5.0)


def test_settling_twice_computes_once() -> None:
    work = Work.on(example_sample((6, 5, 4)))
    assert work.settle("image").data_ptr() == work.settle("image").data_ptr()


def test_what_follows_on_own_memory_is_done_in_place() -> None:
    work = Work.on(example_sample((6, 5, 4)))
    own = work.settle("image")
    wanted = own * 2.0
    work.change(["image"], lambda pending: pending.scaled(2.0, 0.0))
    assert work.settle("image").data_ptr() == own.data_ptr()
    assert torch.equal(own, wanted)


def test_a_cut_after_a_cut_does_the_first_one_first() -> None:
    sample = example_sample((6, 5, 4))
    work = Work.on(sample)
    work.cut(["label"], STARTS, size=(3, 3, 3), batched=True)
    work.cut(["label"], torch.tensor([[0, 1, 0], [1, 0, 1]]), size=(2, 2, 2), batched=True)
    label = sample["label"].data
    wanted = torch.stack([label[:, 1:3, 3:5, 1:3], label[:, 1:3, 0:2, 1:3]])
    assert torch.equal(work.finish()["label"].data, wanted)


def test_the_stand_in_shows_what_is_to_come() -> None:
    sample = example_sample((6, 5, 4))
    work = Work.on(sample)
    work.cut(["image"], STARTS, size=(3, 3, 3), batched=True)
    shown = work.stand_in()
    assert tuple(shown["image"].data.shape) == (2, 2, 3, 3, 3)
    assert shown["label"] is sample["label"]


def test_a_field_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no field 'imag'"):
        Work.on(example_sample((6, 5))).change(["imag"], lambda pending: pending)


def test_fresh_memory_has_the_shape_and_type() -> None:
    taken = FRESH.take("image", (2, 3), like=torch.zeros(1), dtype=torch.float16)
    assert (tuple(taken.shape), taken.dtype) == ((2, 3), torch.float16)
