"""The suite for sources of items: what every cache must keep to, whatever it keeps and where."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import PreparedItems

__all__ = ["ItemSourceSuite", "numbered_items"]

_COUNT = 7


def numbered_items(count: int) -> PreparedItems:
    """Items without files: item i is an image full of i, with a label of zeros and ones."""

    def load(sample: Sample, generator: torch.Generator) -> Sample:  # noqa: ARG001 - a chain's interface
        number = float(sample.name.removeprefix("item "))
        image = Volume(torch.full((1, 3, 3, 3), number), affine=np.eye(4), channel="first")
        label = Volume(torch.arange(27.0).reshape(1, 3, 3, 3) % 2, affine=np.eye(4), channel="first")
        return sample.with_fields(image=image, label=label)

    listed = [DataItem(f"item {n}", {"image": (Path(f"{n}.nii"),)}, raw={}) for n in range(count)]
    return PreparedItems(listed, prefix=load, prepare=lambda sample: sample, seed=0, num_classes=2)


def _same(one: Sample, other: Sample) -> bool:
    fields_agree = one.name == other.name and one.fields.keys() == other.fields.keys()
    return fields_agree and all(torch.equal(one[name].data, other[name].data) for name in one.fields)


class ItemSourceSuite(ABC):
    """Inherit it, and give the source under test."""

    @abstractmethod
    def source(self, inner: PreparedItems) -> ItemSource:
        """The source under test, around ``inner``; what it keeps must be less than 7 items."""

    def _windows(self, source: ItemSource, epochs: int = 5) -> list[Sequence[int]]:
        return [list(source.window(epoch)) for epoch in range(epochs)]

    def test_a_window_holds_items_of_the_list_once(self) -> None:
        """Numbers are in range and differ; all epochs have equally many."""
        windows = self._windows(self.source(numbered_items(_COUNT)))
        assert all(len(set(window)) == len(window) > 0 for window in windows)
        assert all(0 <= index < _COUNT for window in windows for index in window)
        assert len({len(window) for window in windows}) == 1

    def test_a_window_depends_on_the_epoch_alone(self) -> None:
        """A second source, asked in another order, gives the same windows."""
        one, other = self.source(numbered_items(_COUNT)), self.source(numbered_items(_COUNT))
        backwards = [list(other.window(epoch)) for epoch in reversed(range(5))]
        assert self._windows(one) == backwards[::-1]

    def test_items_are_those_of_the_inner_source(self) -> None:
        """Whatever is kept is what would have been computed, in every epoch."""
        inner = numbered_items(_COUNT)
        source = self.source(inner)
        try:
            for epoch in range(4):
                source.move_to(epoch)
                source.begin(epoch)
                assert all(_same(source.get(index), inner.get(index)) for index in source.window(epoch))
        finally:
            source.close()

    def test_many_threads_may_ask(self) -> None:
        """Threads that ask at the same time get the same."""
        inner = numbered_items(_COUNT)
        source = self.source(inner)
        source.move_to(0)
        wanted = list(source.window(0)) * 5
        with ThreadPoolExecutor(4) as pool:
            assert all(
                _same(got, inner.get(index)) for got, index in zip(pool.map(source.get, wanted), wanted, strict=True)
            )
        source.close()

    def test_progress_ends_with_all(self) -> None:
        """Progress rises to the window's size, if it is told at all."""
        source = self.source(numbered_items(_COUNT))
        told: list[tuple[int, int]] = []
        source.move_to(0, lambda done, total: told.append((done, total)))
        source.close()
        assert told == sorted(told)
        assert not told or told[-1] == (len(source.window(0)), len(source.window(0)))

    def test_close_may_come_at_any_time_and_again(self) -> None:
        """Closing an untouched source, a filled one, one that loads, and a closed one."""
        source = self.source(numbered_items(_COUNT))
        source.close()
        source.move_to(0)
        source.begin(0)
        source.close()
        source.close()
