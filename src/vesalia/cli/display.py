"""What a training looks like on a screen: a live display on a terminal, plain lines everywhere else."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from vesalia.training.listener import EpochReport, Listener, RunStart, StepReport, ValidationReport

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["LineDisplay", "LiveDisplay", "Steps", "display_for"]

_LINE_EVERY_S = 10.0


def display_for(*, json_wanted: bool) -> Listener:
    """The display that fits: on standard error when standard output belongs to a machine."""
    console = Console(stderr=json_wanted, highlight=False)
    return LiveDisplay(console) if console.is_terminal else LineDisplay(console)


def _clock(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "--:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _start_text(report: RunStart) -> str:
    length = f"{report.epochs} epochs" if report.epochs else "a time budget"
    lines = [
        (
            f"{report.archive}: {report.train_items} training and {report.valid_items} validation items, "
            f"{report.steps_per_epoch} steps per epoch, {length}"
        ),
        f"network of {report.parameters:,} parameters on {report.device} in {report.precision}",
    ]
    if report.resumed_from:
        lines.append(f"resumed at epoch {report.resumed_from}")
    return "\n".join([*lines, *(f"note: {note}" for note in report.notes)])


def _validation_text(report: ValidationReport) -> str:
    values = "  ".join(f"{name} {value:.4f}" for name, value in report.printed.items())
    shown = report.per_class.get(report.key_metric, ()) if report.key_metric in report.printed else ()
    per_class = ", ".join(f"{value:.3f}" for value in shown)
    scores = f"{values} ({per_class}), " if per_class else f"{values}, " if values else ""
    best = "  best so far" if report.best else ""
    return f"validation at epoch {report.epoch}, step {report.step}: {scores}{report.seconds:.1f} s{best}"


def _step_text(report: StepReport) -> str:
    return (
        f"epoch {report.epoch}  step {report.step}  loss {report.loss:.4f}  lr {report.learning_rate:.2e}  "
        f"{report.samples_per_s:.1f} samples/s  waiting {report.waiting_share:.0%}  {report.fraction:.0%} done  "
        f"ETA {_clock(report.eta_s)}"
    )


class LineDisplay(Listener):
    """A line now and then: for log files, pipes and batch systems."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = time.monotonic()

    def now_and_then(self, make: Callable[[], str], *, last: bool = False) -> None:
        """Show a line if the last one is old enough, or if it is the last."""
        if last or time.monotonic() - self._shown >= _LINE_EVERY_S:
            self._shown = time.monotonic()
            self._print(make())

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False, emoji=False)

    def filling(self, done: int, total: int) -> None:
        """A line when the cache is full, and now and then before."""
        self.now_and_then(lambda: f"cache: {done} of {total} items", last=done == total)

    def started(self, report: RunStart) -> None:
        """What is about to happen."""
        self._print(_start_text(report))

    def stepped(self, report: StepReport) -> None:
        """Now and then a line."""
        self.now_and_then(lambda: _step_text(report))

    def validated(self, report: ValidationReport) -> None:
        """A line per validation."""
        self._print(_validation_text(report))

    def noted(self, words: str) -> None:
        """A line that tells of what is to come."""
        self._print(words)

    def warned(self, message: str) -> None:
        """A line per warning."""
        self._print(f"warning: {message}")


class LiveDisplay(LineDisplay):
    """A bar with loss, metric, speed, waiting share and ETA, redrawn in place; validations stay as lines."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._best = ""

    def show(self, what: str, *, done: int, total: int) -> None:
        """A bar of counted work."""
        self._set(what, done, total, f"{done}/{total}")

    def _set(self, name: str, done: float, total: float, words: str = "") -> None:
        if name not in self._tasks:
            self._progress.start()
            self._tasks[name] = self._progress.add_task(name, total=total, words=words)
        self._progress.update(self._tasks[name], completed=done, total=total, words=words)

    def _drop(self, name: str) -> None:
        if name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))

    def filling(self, done: int, total: int) -> None:
        """A bar of its own."""
        self._set("cache", done, total, f"{done}/{total} items")
        if done >= total:
            self._drop("cache")

    def stepped(self, report: StepReport) -> None:
        """Move the bar."""
        words = (
            f"epoch {report.epoch}  loss {report.loss:.3f}{self._best}  {report.samples_per_s:.1f} samples/s  "
            f"waiting {report.waiting_share:.0%}  ETA {_clock(report.eta_s)}"
        )
        self._set("train", report.fraction, 1.0, words)

    def validating(self, done: int, total: int) -> None:
        """A bar of its own."""
        self._set("validate", done, total, f"{done}/{total} items")

    def validated(self, report: ValidationReport) -> None:
        """A line that stays."""
        self._drop("validate")
        self._best = f"  {report.key_metric} {report.value:.3f}" if report.key_metric in report.printed else ""
        super().validated(report)

    def epoch_ended(self, report: EpochReport) -> None:
        """Nothing beyond the bar."""

    def closed(self) -> None:
        """Take the bars away."""
        self._progress.stop()


@final
class Steps:
    """Progress of counted work (files, subjects): a bar on a terminal, a line now and then elsewhere.

    Args:
        what: What is counted, such as ``subjects``.
        json_wanted: Whether standard output belongs to a machine.
    """

    def __init__(self, what: str, *, json_wanted: bool) -> None:
        self._what = what
        self._display = display_for(json_wanted=json_wanted)

    def __enter__(self) -> Steps:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.closed()

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are done."""
        if isinstance(self._display, LiveDisplay):
            self._display.show(self._what, done=done, total=total)
        elif isinstance(self._display, LineDisplay):
            self._display.now_and_then(lambda: f"{done} of {total} {self._what}")

    def note(self, words: str) -> None:
        """Say something before the work begins."""
        if isinstance(self._display, LineDisplay):
            self._display.noted(words)
