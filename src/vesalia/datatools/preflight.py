"""Looking at the data before a run: everything that would stop it later, told at once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vesalia.datatools.data_use import DataUse, uses_of
from vesalia.datatools.estimate import Estimate, estimate, estimate_faults
from vesalia.datatools.subject_check import SubjectFindings, check_subject
from vesalia.errors import ConfigError, DataError, Fault
from vesalia.mmar.plan import EvaluatePlan, TrainPlan
from vesalia.pipelines.datalist import DataItem, read_datalist
from vesalia.runtime.machine import in_words, usable_cores

__all__ = ["PreflightReport", "preflight"]

_MOST_THREADS = 4
_READ_ALL_BELOW_BYTES = 64_000_000
_LABELS_SAMPLED = 32
_LABELS = ("auto", "all", "none")


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """What was found.

    Attributes:
        faults: What would stop the run, or spoil it.
        warnings: What is odd and can be lived with.
        estimate: Memory and disk; None where no subject could be looked at.
        counts: How many ``subjects`` (by list; by section where two sections use lists of one name), ``files`` and
            ``labels_read``.
    """

    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    estimate: Estimate | None
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def summary(self) -> str:
        """One line for people."""
        subjects = " and ".join(
            f"{count} subjects in {name.removeprefix('subjects_')}"
            for name, count in self.counts.items()
            if name.startswith("subjects_")
        )
        line = f"data: {subjects or 'no subjects'}, {self.counts.get('labels_read', 0)} labels read"
        if self.estimate is None:
            return line
        needs = self.estimate
        memory = f"{in_words(needs.memory)} of {in_words(needs.memory_available)} memory"
        cache = ""
        if needs.cached_items:
            cache = f"; cache of {needs.cached_items} items of {in_words(needs.cached_item)}, "
            cache += f"{in_words(needs.cache)} together"
        return f"{line}; needs about {memory}, {in_words(needs.disk)} of {in_words(needs.disk_available)} disk{cache}"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, for ``--json``."""
        return {
            "ok": self.ok,
            "faults": [fault.to_dict() for fault in self.faults],
            "warnings": [warning.to_dict() for warning in self.warnings],
            "estimate": self.estimate.to_dict() if self.estimate else None,
            "counts": dict(self.counts),
        }


def preflight(
    plan: TrainPlan | EvaluatePlan, *, labels: str = "auto", progress: Callable[[int, int], None] | None = None
) -> PreflightReport:
    """Look at all data that a plan uses.

    Files exist and can be read to their end, image and label lie on one grid, channels and label values are what
    the model takes, and memory and disk suffice.

    Args:
        plan: What is to be done.
        labels: Whose voxels are read. ``none``: nobody's, headers only. ``auto``: all labels where they have less
            than 64 MB together, else 32 evenly spread; images too where they have less than 64 MB. ``all``: all
            labels and images.
        progress: Called after each subject with (subjects done, subjects in all).

    Raises:
        ConfigError: ``labels`` is none of the three.
    """
    if labels not in _LABELS:
        raise ConfigError(f"labels: found {labels!r}, expected one of {', '.join(_LABELS)}; write --labels auto")
    faults: list[Fault] = []
    lists = [(use, _subjects(use, faults)) for use in uses_of(plan)]
    jobs = _jobs(lists, labels)
    results = _run(jobs, progress)
    found = {use.where: (use, [results[_key(use, item)] for item in items]) for use, items in lists if items}
    for result in results.values():
        faults += result.faults
    warnings = [warning for result in results.values() for warning in result.warnings]
    needs = estimate(plan, found) if len(found) == len(lists) else None
    if needs is not None:
        too_much, perhaps = estimate_faults(plan, needs)
        faults += too_much
        warnings += perhaps
    counts = {f"subjects_{name}": len(items) for name, (_, items) in zip(_names(lists), lists, strict=True)}
    counts["files"] = sum(result.files for result in results.values())
    counts["labels_read"] = sum(result.labels_read for result in results.values())
    return PreflightReport(_once(faults), _once(warnings), needs, counts)


_Key = tuple[str, tuple[Path, ...], tuple[Path, ...], tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class _Job:
    """A subject to look at, and how closely."""

    item: DataItem
    use: DataUse
    read_label: bool
    read_image: bool

    def run(self) -> SubjectFindings:
        return check_subject(self.item, self.use, read_label=self.read_label, read_image=self.read_image)


def _subjects(use: DataUse, faults: list[Fault]) -> tuple[DataItem, ...]:
    try:
        return read_datalist(use.file, use.base, key=use.key).items
    except DataError as error:
        faults += error.faults or [Fault(str(use.file), use.key, found=error.message)]
        return ()


def _names(lists: Sequence[tuple[DataUse, Sequence[DataItem]]]) -> list[str]:
    """What each list is called in the counts."""
    keys = [use.key for use, _ in lists]
    return [use.where.partition(".")[0] if keys.count(use.key) > 1 else use.key for use, _ in lists]


def _key(use: DataUse, item: DataItem) -> _Key:
    """The same files in the same role are looked at once, however often they are listed."""
    return use.where, item.files.get("image", ()), item.files.get("label", ()), item.vectors.get("label", ())


def _jobs(lists: Sequence[tuple[DataUse, Sequence[DataItem]]], labels: str) -> dict[_Key, _Job]:
    items = {_key(use, item): (use, item) for use, members in lists for item in members}
    label_files = sorted({path for key in items for path in key[2]})
    image_files = {path for key in items for path in key[1]}
    read_images = labels == "all" or (labels == "auto" and _bytes(image_files) < _READ_ALL_BELOW_BYTES)
    chosen = set(_chosen(label_files, labels))
    return {key: _Job(item, use, not chosen.isdisjoint(key[2]), read_images) for key, (use, item) in items.items()}


def _chosen(files: Sequence[Path], labels: str) -> Sequence[Path]:
    """The labels to read."""
    if labels == "none":
        return ()
    if labels == "all" or len(files) <= _LABELS_SAMPLED or _bytes(files) < _READ_ALL_BELOW_BYTES:
        return files
    return [files[index * len(files) // _LABELS_SAMPLED] for index in range(_LABELS_SAMPLED)]


def _bytes(files: Collection[Path]) -> int:
    total = 0
    for file in files:
        try:
            total += file.stat().st_size
        except OSError:
            continue  # its absence is told by whoever reads it
    return total


def _run(jobs: Mapping[_Key, _Job], progress: Callable[[int, int], None] | None) -> dict[_Key, SubjectFindings]:
    results: dict[_Key, SubjectFindings] = {}
    with ThreadPoolExecutor(min(_MOST_THREADS, usable_cores()), "preflight") as pool:
        for key, result in zip(jobs, pool.map(_Job.run, jobs.values()), strict=True):
            results[key] = result
            if progress is not None:
                progress(len(results), len(jobs))
    return results


def _once(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(faults))
