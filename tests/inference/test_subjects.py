"""A list of subjects: the broken ones are named at the end, the others go on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.errors import DataError, Interrupted, ResourceError
from vesalia.imaging.volume import Sample
from vesalia.inference.results import CaseResult
from vesalia.inference.subjects import run_subjects, tell
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.interrupts import StopRequest

ITEMS = [DataItem(name, {"image": (Path(f"{name}.nii"),)}, {}) for name in "abcd"]


def handle(sample: Sample) -> CaseResult:
    if sample.name == "b":
        raise DataError("b (b.nii): LoadNifti: found damaged gzip data")
    if sample.name == "c":
        raise DataError("something that does not say where")
    return CaseResult(sample.name, sample.files["image"][0])


def test_broken_subjects_do_not_stop_the_others() -> None:
    outcome = run_subjects(ITEMS, handle)
    assert [case.subject for case in outcome.cases] == ["a", "d"]
    assert list(outcome.failures) == ["b", "c"]
    with pytest.raises(DataError) as caught:
        outcome.raise_failures(Path("eval"))
    text = str(caught.value)
    assert "2 of 4 subjects failed; the results of the other 2 are in eval" in text
    assert "b (b.nii): LoadNifti: found damaged gzip data" in text
    assert "c: something that does not say where" in text


def test_all_broken() -> None:
    outcome = run_subjects(ITEMS[1:3], handle)
    with pytest.raises(DataError, match="2 of 2 subjects failed; there are no results"):
        outcome.raise_failures(Path("eval"))


def test_nothing_broken_raises_nothing() -> None:
    run_subjects(ITEMS[:1], handle).raise_failures(Path("eval"))


def test_progress_is_told() -> None:
    told: list[tuple[int, int, str]] = []
    run_subjects(ITEMS[:2], handle, progress=lambda *now: told.append(now))
    assert told == [(0, 2, "a"), (1, 2, "b"), (2, 2, "")]


def test_a_stop_is_heard_between_subjects() -> None:
    stop = StopRequest()

    def stopping(sample: Sample) -> CaseResult:
        stop.signal_number = 15
        return handle(sample)

    with pytest.raises(Interrupted, match="stopped after 1 of 4 subjects") as caught:
        run_subjects(ITEMS, stopping, stop=stop)
    assert caught.value.exit_code == 128 + 15


def test_a_full_disk_stops_everything() -> None:
    def full(sample: Sample) -> CaseResult:
        raise ResourceError(f"{sample.name}: no space left")

    with pytest.raises(ResourceError, match="a: no space left"):
        run_subjects(ITEMS, full)


def test_a_progress_that_can_is_told_something_beforehand() -> None:
    class Noting:
        def __init__(self) -> None:
            self.notes: list[str] = []

        def __call__(self, done: int, total: int, name: str) -> None:
            """Count."""

        def note(self, words: str) -> None:
            self.notes.append(words)

    noting = Noting()
    tell(noting, 12)
    tell(noting, None)
    tell(None, 12)
    tell(lambda *_: None, 12)
    assert noting.notes == ["12"]
