"""A cache in memory of what the deterministic part of the chain gives, filled in parallel before the first epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from vesalia.errors import DataError, Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.base import ItemSource, Progress
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.prefetch import Job, Results, Step, prefetch

__all__ = ["Cache", "Loaded"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of an item: its sample, or the error that says why there is none."""

    index: int
    sample: Sample | None = None
    error: DataError | None = None


class Cache(ItemSource):
    """Keeps the first N items of the list; an epoch uses these alone.

    What is kept is shared with everyone who asks and never changed in place: transforms give new volumes.
    """

    def __init__(self, inner: PreparedItems, *, num_cache_objects: int, num_workers: int) -> None:
        """Wrap a source.

        Args:
            inner: Makes the items.
            num_cache_objects: Items to keep; more than there are means all.
            num_workers: Threads that load; 0 loads in the caller's thread.
        """
        self._inner = inner
        self._size = min(num_cache_objects, len(inner.items))
        self._workers = num_workers
        self._held: dict[int, Sample] = {}
        self._loading: Results[Loaded] | None = None

    def window(self, epoch: int) -> Sequence[int]:
        """The same items in every epoch."""
        return range(self._size)

    def get(self, index: int) -> Sample:
        """Item ``index`` as it is kept; one that is not kept is made anew."""
        held = self._held.get(index)
        return self._inner.get(index) if held is None else held

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed in the items, and that some are never used."""
        return (*self._unused(), *self._inner.warnings)

    def _unused(self) -> tuple[Fault, ...]:
        never = len(self._inner.items) - self._size
        if never == 0:
            return ()
        found = f"{self._size} of {len(self._inner.items)} items and replace_percent 0, so {never} items are never used"
        write = f"{len(self._inner.items)}, or replace_percent above 0"
        return (
            Fault("image_pipeline", "num_cache_objects", found, "a cache that holds all items, or a moving one", write),
        )

    def move_to(self, epoch: int, progress: Progress | None = None) -> None:
        """Hold the items of ``epoch``: drop those that left the window, load those that are missing.

        Raises:
            DataError: Items that cannot be used, all of them at once.
        """
        window = self.window(epoch)
        wanted = set(window)
        self._held = {index: sample for index, sample in self._held.items() if index in wanted}
        missing = [index for index in window if index not in self._held]
        if missing:
            self._take(self._load(missing, workers=self._workers), progress, len(window))

    def _load(self, indices: Sequence[int], *, workers: int) -> Results[Loaded]:
        steps = (
            Step([Job(self._inner.items[index].name, partial(self._load_one, index))], _first) for index in indices
        )
        return prefetch(steps, workers=min(workers, len(indices)), ahead=len(indices))

    def _load_one(self, index: int) -> Loaded:
        try:
            return Loaded(index, sample=self._inner.get(index))
        except DataError as error:  # the other items are loaded all the same, so that all faults are told at once
            return Loaded(index, error=error)

    def _take(self, loading: Results[Loaded], progress: Progress | None = None, total: int = 0) -> None:
        """Hold what was loaded, as it comes."""
        errors = []
        self._loading = loading
        with loading:
            for loaded in loading:
                if loaded.sample is not None:
                    self._held[loaded.index] = loaded.sample
                if loaded.error is not None:
                    errors.append(loaded.error)
                if progress is not None:
                    progress(len(self._held) + len(errors), total)
        if errors:
            raise _merged(errors)

    def close(self) -> None:
        """Stop loading and let go of all items."""
        if self._loading is not None:
            self._loading.close()
        self._held = {}


def _first(parts: list[Loaded]) -> Loaded:
    return parts[0]


def _merged(errors: Sequence[DataError]) -> DataError:
    """One error that says all that the errors say."""
    if len(errors) == 1:
        return errors[0]
    messages = [f"{len(errors)} items cannot be used", *(error.message for error in errors)]
    return DataError("\n".join(filter(None, messages)), faults=[fault for error in errors for fault in error.faults])
