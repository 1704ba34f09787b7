"""A list of subjects, one after another: a broken one is reported at the end, and the others go on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vesalia.errors import DataError, Interrupted
from vesalia.imaging.volume import Sample
from vesalia.inference.results import CaseResult
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import begin_sample
from vesalia.runtime.interrupts import StopRequest

__all__ = ["Outcome", "Progress", "run_subjects", "tell"]

Progress = Callable[[int, int, str], None]
"""Told before each subject, and at the end: how many are done, how many there are, which one is next."""


@dataclass(slots=True)
class Outcome:
    """What came of a list of subjects.

    Attributes:
        cases: The subjects that went through, in order.
        failures: Subject to what was wrong with it.
    """

    cases: list[CaseResult] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def raise_failures(self, folder: Path) -> None:
        """Raise if any subject failed.

        Raises:
            DataError: Names every subject that failed, and says where the results of the others are.
        """
        if not self.failures:
            return
        count, total = len(self.failures), len(self.failures) + len(self.cases)
        kept = f"the results of the other {len(self.cases)} are in {folder}" if self.cases else "there are no results"
        lines = [f"{count} of {total} subjects failed; {kept}; mend these files, or take them off the data list:"]
        raise DataError("\n".join([*lines, *(f"  {said}" for said in self.failures.values())]))


def tell(progress: Progress | None, words: object) -> None:
    """Say something before the first subject, to a progress that can (it has a method ``note``)."""
    note = getattr(progress, "note", None)
    if note is not None and words is not None:
        note(str(words))


def run_subjects(
    items: Sequence[DataItem],
    handle: Callable[[Sample], CaseResult],
    *,
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> Outcome:
    """Send each item through ``handle``.

    Args:
        items: The subjects.
        handle: Does the work for one subject, from a sample that holds file names, and the numbers of the data list.
        progress: Is told how far it has come.
        stop: Set it to stop before the next subject.

    Raises:
        Interrupted: A stop was asked for; what is finished stays on disk.
        ResourceError: The disk or the memory is full: no other subject would fare better.
    """
    outcome = Outcome()
    for done, item in enumerate(items):
        if stop:
            message = f"stopped after {done} of {len(items)} subjects; what was written so far is whole"
            raise Interrupted(message, signal_number=stop.signal_number or 2)
        if progress:
            progress(done, len(items), item.name)
        try:
            outcome.cases.append(handle(begin_sample(item)))
        except DataError as error:
            said = str(error)
            outcome.failures[item.name] = said if item.name in said else f"{item.name}: {said}"
    if progress:
        progress(len(items), len(items), "")
    return outcome
