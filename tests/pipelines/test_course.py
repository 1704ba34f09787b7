"""The course of the steps: one epoch after the other, no further than the windows allow."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.pipelines.course import Course

Made = tuple[int, int, Sequence[int]]


def plan(epoch: int) -> list[tuple[int, Sequence[int]]]:
    """Steps of two: a window of four that moves on by one."""
    return (
        [(0, (epoch + 3, epoch)), (1, (epoch + 2, epoch + 1))] if epoch % 2 == 0 else [(0, (epoch,)), (1, (epoch + 3,))]
    )


def moving(epoch: int) -> range:
    return range(epoch, epoch + 4)


def still(epoch: int) -> range:  # noqa: ARG001 - it stands still
    return range(99)


def made(epoch: int, number: int, items: Sequence[int]) -> Made:
    return epoch, number, items


def where(given: Sequence[Made]) -> list[tuple[int, int]]:
    return [(epoch, number) for epoch, number, _ in given]


def test_an_epoch_alone() -> None:
    course = Course(0, plan=plan, window=still, make=made)
    assert list(course) == [(0, 0, (3, 0)), (0, 1, (2, 1))]
    assert list(course) == []


def test_what_is_done_is_left_out() -> None:
    assert where(list(Course(0, plan=plan, window=still, make=made, todo=plan(0)[1:]))) == [(0, 1)]


def test_the_next_epoch_comes_early_and_no_further_one() -> None:
    course = Course(0, plan=plan, window=still, make=made)
    course.enter(0, another=True)
    assert where(list(course)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    course.enter(1, another=True)
    assert where(list(course)) == [(2, 0), (2, 1)]
    course.enter(2, another=False)
    assert list(course) == []


def test_what_only_the_next_window_has_waits_for_it() -> None:
    course = Course(0, plan=plan, window=moving, make=made)
    course.enter(0, another=True)
    assert where(list(course)) == [(0, 0), (0, 1), (1, 0)]  # the item of (1, 1) is not in the first window
    course.enter(1, another=True)
    assert where(list(course)) == [(1, 1)]
    course.enter(2, another=False)
    assert where(list(course)) == [(2, 0), (2, 1)]
