"""The suite for sources of items fails a source that breaks its rules."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from vesalia.errors import Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.base import ItemSource, Progress
from vesalia.pipelines.items import PreparedItems
from vesalia.testing.pipelines import ItemSourceSuite, numbered_items


class Faulty(ItemSource):
    """Breaks one rule."""

    def __init__(self, inner: PreparedItems, fault: str) -> None:
        self.inner, self.fault, self.asked = inner, fault, 0

    def window(self, epoch: int) -> Sequence[int]:
        self.asked += 1
        return {"twice": [1, 1], "outside": [99], "moody": [self.asked % 7]}.get(self.fault, [0, 1])

    def get(self, index: int) -> Sample:
        got = self.inner.get(index)
        return replace(got, name="x") if self.fault == "other" else got

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return ()

    def move_to(self, epoch: int, progress: Progress | None = None) -> None:
        if progress is not None:
            progress(1, 2)


def suite(fault: str) -> ItemSourceSuite:
    class Suite(ItemSourceSuite):
        def source(self, inner: PreparedItems) -> ItemSource:
            return Faulty(inner, fault)

    return Suite()


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("twice", "test_a_window_holds_items_of_the_list_once"),
        ("outside", "test_a_window_holds_items_of_the_list_once"),
        ("moody", "test_a_window_depends_on_the_epoch_alone"),
        ("other", "test_items_are_those_of_the_inner_source"),
        ("other", "test_many_threads_may_ask"),
        ("short", "test_progress_ends_with_all"),
    ],
)
def test_broken_rules_are_found(fault: str, test: str) -> None:
    with pytest.raises(AssertionError):
        getattr(suite(fault), test)()


class TestPlain(ItemSourceSuite):
    def source(self, inner: PreparedItems) -> ItemSource:
        return inner


def test_numbered_items() -> None:
    got = numbered_items(3).get(2)
    assert got["image"].data.unique().tolist() == [2.0]
    assert got["label"].data.unique().tolist() == [0, 1]
