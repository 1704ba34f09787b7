"""A pipeline at work: data list, transforms and seed bound together; gives epochs of batches, and whole samples."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from math import ceil
from typing import Protocol, TypeVar, final

import torch

from vesalia.errors import DataError, Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.bad_items import BadItems
from vesalia.pipelines.base import ItemSource, Progress
from vesalia.pipelines.batching import Batch, Batcher
from vesalia.pipelines.buffers import BatchRoom, Buffers
from vesalia.pipelines.course import Course
from vesalia.pipelines.datalist import DataList
from vesalia.pipelines.order import WHOLE, Shard, epoch_order, step_count, steps
from vesalia.pipelines.plan import CachePlan
from vesalia.pipelines.prefetch import Job, Results, Step, prefetch
from vesalia.pipelines.sampling import Draw
from vesalia.pipelines.workers import one_torch_thread
from vesalia.runtime.machine import usable_cores
from vesalia.runtime.seeds import generator
from vesalia.runtime.stopwatch import stage
from vesalia.transforms.fusion.work import FRESH, Room

__all__ = ["BoundPipeline", "Delivery"]

Part = TypeVar("Part")
Whole = TypeVar("Whole")


class Augment(Protocol):
    """The random part of a chain."""

    def __call__(self, sample: Sample, generator: torch.Generator, room: Room) -> Sample:
        """Send ``sample`` through; what can be is written to ``room``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a pipeline delivers.

    Attributes:
        batch_size: Items per step and rank.
        shuffle: Whether an epoch takes its items in an order of its own.
        workers: Threads that transform; 0 for none.
        prefetch: Items that may be ready or in work before they are asked for.
        seed: Root of all random states.
        draw: Which items an epoch takes where categories are rebalanced; None takes each once.
        shard: This process's part of each step, and of the items to judge.
        pinned: Whether batches are written to page-locked memory.
    """

    batch_size: int
    shuffle: bool
    workers: int
    prefetch: int
    seed: int
    draw: Draw | None = None
    shard: Shard = WHOLE
    pinned: bool = False

    @property
    def items_per_step(self) -> int:
        """Items that all ranks together take in a step."""
        return self.batch_size * self.shard.world

    def count(self, window: Sequence[int]) -> int:
        """Items of an epoch over ``window``."""
        return self.draw.count(window) if self.draw else len(window)

    def order(self, window: Sequence[int], *, epoch: int) -> list[int]:
        """The items of ``epoch`` in the order in which it takes them."""
        if self.draw:
            return self.draw.order(window, seed=self.seed, epoch=epoch)
        return epoch_order(window, seed=self.seed, epoch=epoch, shuffle=self.shuffle)


class Closable(Protocol):
    """What threads hang on."""

    def close(self) -> None:
        """End them."""


@dataclass(frozen=True, slots=True)
class _Running:
    """Batches in work: which ones, and where they are taken from."""

    course: Course[Step[Sample, Batch]]
    results: Results[Batch]


@final
class BoundPipeline:
    """Data on its way to the network.

    What an epoch gives is a function of seed, epoch and item: of nothing else, the number of workers included.

    Attributes:
        datalist: The items, duplicates included.
        waiting: Seconds the consumer has waited for this pipeline since it was bound, the filling of a cache left out.
    """

    def __init__(
        self,
        datalist: DataList,
        source: ItemSource,
        *,
        augment: Augment,
        batcher: Batcher,
        delivery: Delivery,
        bad: BadItems | None = None,
    ) -> None:
        """Bind the parts.

        Args:
            datalist: The items.
            source: Gives items after the deterministic part of the chain.
            augment: The rest of the chain, from the first random transform on.
            batcher: Makes batches.
            delivery: How to deliver.
            bad: What is known of items that cannot be used, and what is done about them.
        """
        self.datalist = datalist
        self.waiting = 0.0
        self._source, self._augment, self._batcher, self._delivery = source, augment, batcher, delivery
        self._bad = BadItems() if bad is None else bad
        self._epoch = 0
        self._buffers = Buffers(pinned=delivery.pinned, keep=4 * (self._steps_ahead + 2))
        self._open: list[Closable] = []
        self._kept: _Running | None = None

    @property
    def items(self) -> int:
        """Items of an epoch: with a cache, those it holds; with rebalanced categories, those it draws."""
        return self._delivery.count(self._source.window(0))

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch: the last batch may be smaller."""
        return step_count(self.items, self.items_per_step)

    @property
    def items_per_step(self) -> int:
        """Items of a step, those of all ranks together."""
        return self._delivery.items_per_step

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed so far without being an error, such as labels without foreground."""
        return self._source.warnings

    @property
    def bad_items(self) -> tuple[str, ...]:
        """Items that could not be used and were left out, and why."""
        return self._bad.messages

    def plan(self, network_s: Callable[[Batch], float] | None = None) -> CachePlan | None:
        """What the filled cache holds, and how fast batches come of it: an item is tried. None without a cache.

        Args:
            network_s: Tells how many seconds the network takes for a batch; it gets one of a single item's crops.
        """
        plan, window = self._source.plan, self._source.window(self._epoch)
        if plan is None:
            return None
        usable = next((index for index in window if self._bad.error(index) is None), window[0])
        how, dice = self._delivery, generator(self._delivery.seed, "plan")
        with one_torch_thread():
            for _ in range(2):  # the first time, something may have to be set up
                prepared = self._source.get(usable)
                began = time.perf_counter()
                tried = self._augment(prepared, dice, FRESH)
                seconds = time.perf_counter() - began
        return replace(
            plan,
            augment_s=seconds,
            items_per_step=how.batch_size,
            workers=max(1, min(how.workers, usable_cores())),
            network_s=0.0 if network_s is None else network_s(self._batcher([tried] * how.batch_size, dice)),
        )

    def fill(self, progress: Progress | None = None, *, epoch: int = 0) -> None:
        """Fill the cache, if there is one, with the items of ``epoch`` (that of a resumed run).

        Raises:
            DataError: Items that cannot be used, all of them at once.
        """
        with stage("fill"):
            self._source.move_to(epoch, progress)
        self._epoch = epoch

    def epoch(self, index: int, *, done: int = 0, another: bool = False) -> Generator[Batch, None, None]:
        """The batches of epoch ``index``, prefetched in the background.

        Args:
            index: The epoch, counted from 0.
            done: Items of it that are done already, by all ranks together, where it is resumed.
            another: Whether the next epoch is asked for after this one: its first batches are then begun while the
                last ones of this epoch are used, and while the network is judged.

        Raises:
            DataError: An item cannot be used; raised where its batch would be given.
        """
        with self._timed():
            self._source.move_to(index)
        self._epoch = index
        self._source.begin(index)
        todo = self._steps(index, done=done)
        running = self._enter(index, todo, resumed=done > 0)
        running.course.enter(index, another=another)
        whole = False
        try:
            running.results.submit()
            yield from islice(self._timed_results(running.results), len(todo))
            whole = True
        finally:
            if whole and another and not running.results.closed:
                self._kept = running
            else:
                self._end(running.results)

    def samples(self) -> Generator[Sample, None, None]:
        """Each item of the current epoch's window once, whole, in the list's order: for validation.

        Several ranks deal the items out: the first has the first, and again the first after each has one.
        """
        own = self._delivery.shard.dealt(sorted(self._source.window(self._epoch)))
        todo = (Step([Job(self.datalist.items[index].name, partial(self._whole, index))], _only) for index in own)
        results = self._begin(todo, ahead=min(self._delivery.workers, max(1, self._delivery.prefetch)))
        try:
            yield from (sample for sample in self._timed_results(results) if sample is not None)
        finally:
            self._end(results)

    def report_epoch_end(self) -> None:
        """Say that the epoch is over: a smart cache moves its window on, waiting for replacements if it must."""
        with self._timed():
            self._source.move_to(self._epoch + 1)
        self._epoch += 1

    def close(self) -> None:
        """End all threads and let go of the cache; may be called at any time, and again."""
        self._kept = None
        while self._open:
            self._open.pop().close()
        self._buffers.clear()
        self._source.close()

    def __enter__(self) -> BoundPipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _steps_ahead(self) -> int:
        """Steps whose items make up the prefetch, and enough of them to keep every worker busy."""
        return ceil(max(self._delivery.prefetch, self._delivery.workers) / self._delivery.batch_size)

    def _whole(self, index: int) -> Sample | None:
        """An item as it is judged; None where it cannot be used and may be left out."""
        try:
            return self._make(index, ("samples",))
        except DataError as error:
            if not self._bad.skips:
                raise
            self._bad.report(index, error)
            return None

    def _one(self, index: int, epoch: int, room: Room) -> Sample:
        """An item of an epoch; where it cannot be used and may be left out, the next one that can."""
        now, branch = index, tuple[str | int, ...](("epoch", epoch))
        while True:
            try:
                return self._make(now, branch, room)
            except DataError as error:
                if not self._bad.skips:
                    raise
                self._bad.report(now, error)
            order = self._delivery.order(self._source.window(epoch), epoch=epoch)
            now, branch = self._bad.replacement(index, order), ("epoch", epoch, "instead of", index)

    def _make(self, index: int, branch: Sequence[str | int], room: Room = FRESH) -> Sample:
        dice = generator(self._delivery.seed, *branch, "item", index)
        with stage("item"):
            prepared = self._source.get(index)
        with stage("augment"):
            return self._augment(prepared, dice, room)

    def _steps(self, epoch: int, *, done: int = 0) -> list[tuple[int, Sequence[int]]]:
        """The steps of an epoch that are left to do: their numbers and items."""
        how = self._delivery
        order = how.order(self._source.window(epoch), epoch=epoch)
        left = steps(order, how.items_per_step, done=done)
        return list(enumerate(left, step_count(done, how.items_per_step)))

    def _enter(self, epoch: int, todo: Sequence[tuple[int, Sequence[int]]], *, resumed: bool) -> _Running:
        """What gives the batches of ``epoch``: the epoch before may have begun it already."""
        kept, self._kept = self._kept, None
        if kept is not None:
            if kept.course.entered + 1 == epoch and not resumed:
                return kept
            self._end(kept.results)
        course = Course(epoch, todo=todo, plan=self._steps, window=self._source.window, make=self._step)
        return _Running(course, self._begin(course, ahead=self._steps_ahead))

    def _step(self, epoch: int, number: int, together: Sequence[int]) -> Step[Sample, Batch]:
        """This rank's batch of a step; one that has no items stands by with another's, as all must take each step."""
        shard = self._delivery.shard
        own = shard.part(together)
        items = own or together[:1]
        dice = generator(self._delivery.seed, "epoch", epoch, "step", number, *shard.branch)
        room = BatchRoom(self._buffers, len(items))
        names = [self.datalist.items[index].name for index in items]
        jobs = [
            Job(name, partial(self._one, index, epoch, room.place(place)))
            for place, (name, index) in enumerate(zip(names, items, strict=True))
        ]

        def join(samples: list[Sample]) -> Batch:
            with stage("batch"):
                batch = self._batcher(samples, generator=dice, room=room)
            return batch if own else replace(batch, counts=False)

        return Step(jobs, join)

    def _begin(self, todo: Iterator[Step[Part, Whole]], *, ahead: int) -> Results[Whole]:
        results = prefetch(todo, workers=self._delivery.workers, ahead=ahead)
        self._open.append(results)
        return results

    def _end(self, results: Closable) -> None:
        results.close()
        self._open = [others for others in self._open if others is not results]

    def _timed_results(self, results: Results[Whole]) -> Iterator[Whole]:
        """The results, as far as there are any; what is waited for them is added up."""
        while True:
            before = results.waited_s
            try:
                with stage("wait"):
                    result = next(results)
            except StopIteration:
                return
            finally:
                self.waiting += results.waited_s - before
            self._bad.tell()
            yield result

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.waiting += time.perf_counter() - began


def _only(parts: list[Sample | None]) -> Sample | None:
    return parts[0]
