"""The bound pipeline: what it gives depends on seed, epoch and item; not on workers, caches, or resuming."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.fakes import WAIT_S, Clock, Crops, Load, Merge, Noise, data_folder
from tests.threads import alive
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.pipelines.batching import Batch
from vesalia.pipelines.order import WHOLE, Shard
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.base import Transform

WORKERS = pytest.mark.parametrize("workers", [1, 3])
CACHES: list[dict[str, Any]] = [
    {},
    {"num_cache_objects": 5, "replace_percent": 0.0},
    {"num_cache_objects": 5, "replace_percent": 0.4},
]


def bound(
    folder: Path,
    transforms: Sequence[Transform[Any]] | None = None,
    *,
    seed: int = 5,
    batch_transforms: Sequence[Transform[Any]] = (),
    count: int = 7,
    shard: Shard = WHOLE,
    **args: Any,
) -> BoundPipeline:
    folder.mkdir(exist_ok=True)
    data_folder(folder, count)
    values: dict[str, Any] = {
        "data_list_key": "training", "output_crop_size": (4, 4, 4), "output_batch_size": 3, "num_workers": 2, **args
    }  # fmt: skip
    kind = SegmentationImagePipelineWithCache if "num_cache_objects" in args else SegmentationImagePipeline
    made = kind(str(folder / "list.json"), str(folder), **values)
    chain: Sequence[Transform[Any]] = [Load(), Noise()] if transforms is None else transforms
    return made.bind(transforms=chain, batch_transforms=batch_transforms, seed=seed, num_classes=2, shard=shard)


def epochs(pipeline: BoundPipeline, count: int = 4) -> list[list[Batch]]:
    with pipeline:
        pipeline.fill()
        given = []
        for epoch in range(count):
            given.append(list(pipeline.epoch(epoch)))
            pipeline.report_epoch_end()
    return given


def same(one: Sequence[Batch], other: Sequence[Batch]) -> bool:
    return len(one) == len(other) and all(
        a.names == b.names and all(torch.equal(a.fields[name], b.fields[name]) for name in a.fields)
        for a, b in zip(one, other, strict=True)
    )


@WORKERS
@pytest.mark.parametrize("cache", CACHES)
def test_the_number_of_workers_changes_nothing(tmp_path: Path, workers: int, cache: dict[str, Any]) -> None:
    inline = epochs(bound(tmp_path, num_workers=0, **cache))
    threaded = epochs(bound(tmp_path, num_workers=workers, prefetch_size=workers, **cache))
    assert all(same(a, b) for a, b in zip(inline, threaded, strict=True))


def test_a_cache_changes_nothing_but_time(tmp_path: Path) -> None:
    plain, load = epochs(bound(tmp_path)), Load()
    cached = epochs(bound(tmp_path, [load, Noise()], num_cache_objects=7, replace_percent=0.0))
    assert all(same(a, b) for a, b in zip(plain, cached, strict=True))
    assert len(load.loaded) == 7


def test_seeds_and_epochs_differ(tmp_path: Path) -> None:
    one, other = epochs(bound(tmp_path)), epochs(bound(tmp_path, seed=6))
    assert not same(one[0], other[0])
    assert not same(one[0], one[1])


def test_each_item_once_per_epoch(tmp_path: Path) -> None:
    for given in epochs(bound(tmp_path)):
        assert [len(batch.names) for batch in given] == [3, 3, 1]
        assert sorted(name for batch in given for name in batch.names) == [f"c{n}" for n in range(7)]


def test_an_epoch_of_a_cache_is_what_it_holds(tmp_path: Path) -> None:
    pipeline = bound(tmp_path, num_cache_objects=5, replace_percent=0.4)
    assert (pipeline.items, pipeline.steps_per_epoch) == (5, 2)
    held = [{name for batch in given for name in batch.names} for given in epochs(pipeline, 6)]
    assert all(len(names) == 5 for names in held)
    assert all(len(after - before) == 2 for before, after in pairwise(held))
    assert set.union(*held) == {f"c{n}" for n in range(7)}


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize(("epoch", "step"), [(0, 1), (3, 0), (3, 1)])
def test_a_resumed_run_goes_on_exactly(tmp_path: Path, cache: dict[str, Any], epoch: int, step: int) -> None:
    whole = epochs(bound(tmp_path, **cache))
    with bound(tmp_path, **cache) as resumed:
        resumed.fill(epoch=epoch)
        assert same(list(resumed.epoch(epoch, done=3 * step)), whole[epoch][step:])


class TestShards:
    """Several ranks together take what one process with as large a batch takes."""

    @pytest.mark.parametrize("cache", CACHES)
    @pytest.mark.parametrize("world", [2, 3])
    def test_their_parts_are_the_batches_of_one(self, tmp_path: Path, cache: dict[str, Any], world: int) -> None:
        whole = epochs(bound(tmp_path / "one", output_batch_size=2 * world, **cache))
        parts = [
            epochs(bound(tmp_path / str(rank), output_batch_size=2, shard=Shard(rank, world), **cache))
            for rank in range(world)
        ]
        for epoch, batches in enumerate(whole):
            assert [len(part[epoch]) for part in parts] == [len(batches)] * world
            for step, batch in enumerate(batches):
                counted = [part[epoch][step] for part in parts if part[epoch][step].counts]
                assert tuple(name for one in counted for name in one.names) == batch.names
                together = torch.cat([one.fields["image"] for one in counted])
                assert torch.equal(together, batch.fields["image"])

    def test_a_rank_without_items_stands_by_with_another_s(self, tmp_path: Path) -> None:
        (batches,) = epochs(bound(tmp_path, count=4, output_batch_size=1, shard=Shard(2, 3)), 1)
        assert [(len(batch.names), batch.counts) for batch in batches] == [(1, True), (1, False)]

    def test_an_epoch_may_be_gone_on_with_by_another_number_of_ranks(self, tmp_path: Path) -> None:
        (whole,) = epochs(bound(tmp_path / "one", output_batch_size=3), 1)
        rest: list[str] = []
        for rank in range(2):
            with bound(tmp_path / str(rank), output_batch_size=1, shard=Shard(rank, 2)) as pipeline:
                rest += [name for batch in pipeline.epoch(0, done=3) for name in batch.names]
        assert sorted([*whole[0].names, *rest]) == [f"c{n}" for n in range(7)]

    def test_whole_samples_are_dealt_out(self, tmp_path: Path) -> None:
        names = []
        for rank in range(3):
            with bound(tmp_path / str(rank), shard=Shard(rank, 3)) as pipeline:
                names.append([sample.name for sample in pipeline.samples()])
        assert names == [["c0", "c3", "c6"], ["c1", "c4"], ["c2", "c5"]]


def test_epochs_may_be_asked_for_without_filling_and_reporting(tmp_path: Path) -> None:
    cache = CACHES[2]
    whole = epochs(bound(tmp_path, **cache))
    with bound(tmp_path, **cache) as careless:
        assert all(same(list(careless.epoch(n)), whole[n]) for n in range(4))


def test_unshuffled_epochs_keep_the_list_s_order(tmp_path: Path) -> None:
    for given in epochs(bound(tmp_path, shuffle=False)):
        assert [name for batch in given for name in batch.names] == [f"c{n}" for n in range(7)]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", CACHES[:2])
def test_samples_are_whole_and_in_order(tmp_path: Path, workers: int, cache: dict[str, Any]) -> None:
    with bound(tmp_path, num_workers=workers, **cache) as pipeline:
        first, second = list(pipeline.samples()), list(pipeline.samples())
    assert [one.name for one in first] == [f"c{n}" for n in range(pipeline.items)]
    assert all(torch.equal(a["image"].data, b["image"].data) for a, b in zip(first, second, strict=True))
    assert first[0]["image"].data.shape == (1, 4, 4, 4)


def test_batch_by_transform_v2(tmp_path: Path) -> None:
    chain: list[Transform[Any]] = [Load(), Crops(3)]
    pipeline = bound(tmp_path, chain, batched_by_transforms=True, output_batch_size=0)
    assert (pipeline.items, pipeline.steps_per_epoch) == (7, 7)
    (given,) = epochs(pipeline, 1)
    assert [batch.fields["image"].shape for batch in given] == [(3, 1, 2, 2, 2)] * 7
    assert all(len(set(batch.names)) == 1 for batch in given)


def test_batch_by_transform_v3_with_cache(tmp_path: Path) -> None:
    pipeline = bound(tmp_path, [Load(), Crops(2)], batch_transforms=[Merge()], num_cache_objects=5, replace_percent=0.0)
    (given,) = epochs(pipeline, 1)
    assert [batch.fields["label"].shape[0] for batch in given] == [6, 4]


@pytest.mark.parametrize("cache", CACHES)
def test_nothing_that_is_kept_is_changed(tmp_path: Path, cache: dict[str, Any]) -> None:
    with bound(tmp_path, **cache) as pipeline:
        pipeline.fill()
        before = [(one.name, one["image"].data.clone()) for one in pipeline.samples()]
        list(pipeline.epoch(0))
        for (name, image), one in zip(before, pipeline.samples(), strict=True):
            assert one.name == name
            assert torch.equal(one["image"].data, image)


class BrokenAt(Load):
    """Cannot load one subject."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def transform(self, sample: Sample) -> Sample:
        if sample.name == self.name:
            raise ValueError("torn file")
        return super().transform(sample)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_a_bad_item_is_named_in_its_turn(tmp_path: Path, workers: int) -> None:
    with bound(tmp_path, [BrokenAt("c4"), Noise()], shuffle=False, num_workers=workers) as pipeline:
        given = pipeline.epoch(0)
        assert next(given).names == ("c0", "c1", "c2")
        with pytest.raises(DataError, match=r"c4 .*c4.nii.*BrokenAt.*torn file"):
            next(given)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit, RuntimeError])
def test_close_ends_all_threads_whatever_stopped_the_loop(tmp_path: Path, stop: type[BaseException]) -> None:
    def train(pipeline: BoundPipeline) -> None:
        for _ in pipeline.epoch(0):
            raise stop

    pipeline = bound(tmp_path, num_cache_objects=5, replace_percent=0.4, num_workers=3)
    with pytest.raises(stop):
        train(pipeline)
    pipeline.close()
    assert not alive()


def test_close_ends_epochs_that_are_still_asked(tmp_path: Path) -> None:
    pipeline = bound(tmp_path, output_batch_size=1, prefetch_size=1)
    given, whole = pipeline.epoch(0), pipeline.samples()
    next(given)
    next(whole)
    assert len(alive()) == 4
    pipeline.close()
    assert not alive()
    assert list(given) == []
    assert list(whole) == []
    pipeline.close()


def test_an_iterator_that_is_dropped_ends_its_threads(tmp_path: Path) -> None:
    pipeline = bound(tmp_path)
    next(iter(pipeline.samples()))
    assert not alive()


def test_waiting_is_the_time_inside_the_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    class Slow(Noise):
        def apply(self, sample: Sample, parameters: torch.Tensor) -> Sample:
            clock.now += 1.0
            return super().apply(sample, parameters)

    monkeypatch.setattr(time, "perf_counter", clock)
    with bound(tmp_path, [Load(), Slow()], num_workers=0) as pipeline:
        for _ in pipeline.epoch(0):
            clock.now += 100.0
        assert pipeline.waiting == 7.0


def test_the_consumer_s_own_time_is_no_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    with bound(tmp_path, num_workers=2) as pipeline:
        for _ in pipeline.epoch(0):
            clock.now += 100.0
        assert pipeline.waiting == 0.0


def test_labels_without_foreground_are_warnings(tmp_path: Path) -> None:
    class Empty(Load):
        def transform(self, sample: Sample) -> Sample:
            done = super().transform(sample)
            if sample.name == "c3":
                done["label"].data.zero_()
            return done

    with bound(tmp_path, [Empty()]) as pipeline:
        assert list(pipeline.warnings) == []
        list(pipeline.epoch(0))
        list(pipeline.epoch(1))
        assert [fault.key for fault in pipeline.warnings] == ["c3.label"]


def test_progress_of_the_fill(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with bound(tmp_path, num_cache_objects=5, replace_percent=0.0) as pipeline:
        pipeline.fill(lambda done, total: told.append((done, total)))
    assert told == [(n, 5) for n in range(1, 6)]


class TestAnotherEpoch:
    """The next epoch's first batches are begun before it is asked for, and are the same as ever."""

    @staticmethod
    def given(pipeline: BoundPipeline, count: int) -> list[list[Batch]]:
        with pipeline:
            pipeline.fill()
            found = []
            for epoch in range(count):
                found.append(list(pipeline.epoch(epoch, another=epoch + 1 < count)))
                list(pipeline.samples())
                pipeline.report_epoch_end()
            return found

    @pytest.mark.parametrize("workers", [0, 1, 3])
    @pytest.mark.parametrize("cache", CACHES)
    def test_it_changes_nothing(self, tmp_path: Path, workers: int, cache: dict[str, Any]) -> None:
        plain = epochs(bound(tmp_path, num_workers=0, **cache), 6)
        begun = self.given(bound(tmp_path, num_workers=workers, prefetch_size=9, **cache), 6)
        assert all(same(a, b) for a, b in zip(plain, begun, strict=True))

    def test_its_items_are_in_work_before_it_is_asked_for(self, tmp_path: Path) -> None:
        load = Loaded()
        with bound(tmp_path, [load, Noise()], count=3, output_batch_size=1, prefetch_size=2) as pipeline:
            list(pipeline.epoch(0, another=True))
            assert load.enough(5)
            pipeline.close()
            assert len(load.loaded) == 5

    def test_the_last_one_begins_no_other(self, tmp_path: Path) -> None:
        load = Load()
        with bound(tmp_path, [load, Noise()], prefetch_size=9) as pipeline:
            list(pipeline.epoch(0))
            assert not alive()
            assert len(load.loaded) == 7

    def test_threads_stay_from_epoch_to_epoch(self, tmp_path: Path) -> None:
        with bound(tmp_path, num_workers=2) as pipeline:
            threads = []
            for epoch in range(3):
                list(pipeline.epoch(epoch, another=True))
                threads.append({thread.ident for thread in alive()})
        assert len(threads[0]) == 2
        assert threads[0] == threads[1] == threads[2]

    @pytest.mark.parametrize(("epoch", "done"), [(2, 0), (1, 3), (0, 0)])
    def test_another_one_than_the_next_may_be_asked_for(self, tmp_path: Path, epoch: int, done: int) -> None:
        whole = epochs(bound(tmp_path), 3)
        with bound(tmp_path) as pipeline:
            list(pipeline.epoch(0, another=True))
            assert same(list(pipeline.epoch(epoch, done=done)), whole[epoch][done // 3 :])
            assert not alive()

    def test_an_epoch_that_is_left_early_keeps_nothing_in_work(self, tmp_path: Path) -> None:
        with bound(tmp_path) as pipeline:
            given = pipeline.epoch(0, another=True)
            next(given)
            given.close()
            assert not alive()

    def test_a_bad_item_of_the_next_epoch_is_told_in_it(self, tmp_path: Path) -> None:
        class BreaksLater(Load):
            def transform(self, sample: Sample) -> Sample:
                if len(self.loaded) >= 7:
                    raise ValueError("torn file")
                return super().transform(sample)

        with bound(tmp_path, [BreaksLater(), Noise()], prefetch_size=3) as pipeline:
            assert len(list(pipeline.epoch(0, another=True))) == 3
            with pytest.raises(DataError, match="torn file"):
                next(pipeline.epoch(1, another=True))


class Loaded(Load):
    """Says when enough were loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.one_more = threading.Semaphore(0)

    def transform(self, sample: Sample) -> Sample:
        done = super().transform(sample)
        self.one_more.release()
        return done

    def enough(self, count: int) -> bool:
        """Wait until ``count`` were loaded."""
        return all(self.one_more.acquire(timeout=WAIT_S) for _ in range(count))
