"""What a training looks like: lines for logs, a bar on a terminal."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import math
import time

import pytest
from rich.console import Console

from tests.training.fakes import epoch_report, run_start, step_report, validation_report
from vesalia.cli import display as module
from vesalia.cli.display import LineDisplay, LiveDisplay, Steps, display_for


class Screen:
    """A console that remembers, and a clock that moves when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.console = Console(file=self.stream, force_terminal=terminal, width=200, color_system=None)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    @property
    def text(self) -> str:
        """What was shown so far."""
        return self.stream.getvalue()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A file, a pipe, a batch system."""
    return Screen(monkeypatch, terminal=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal."""
    return Screen(monkeypatch, terminal=True)


class TestLines:
    def test_the_start(self, log: Screen) -> None:
        LineDisplay(log.console).started(run_start(resumed_from=3, notes=("careful [now]",)))
        assert log.text.splitlines() == [
            "spleen: 6 training and 2 validation items, 3 steps per epoch, 10 epochs",
            "network of 12,345 parameters on cpu in 32-true",
            "resumed at epoch 3",
            "note: careful [now]",
        ]

    def test_the_start_under_a_budget(self, log: Screen) -> None:
        LineDisplay(log.console).started(run_start(epochs=None))
        assert "3 steps per epoch, a time budget" in log.text

    def test_steps_come_now_and_then(self, log: Screen) -> None:
        display = LineDisplay(log.console)
        for second in range(25):
            log.now = float(second)
            display.stepped(step_report(step=second))
        assert log.text.splitlines() == [
            (f"epoch 1  step {step}  loss 0.5000  lr 1.00e-03  4.0 samples/s  waiting 10%  25% done  ETA 1:01")
            for step in (10, 20)
        ]

    def test_every_validation_is_a_line_with_its_classes(self, log: Screen) -> None:
        LineDisplay(log.console).validated(validation_report())
        assert log.text == (
            "validation at epoch 1, step 3: dice 0.8000  other 0.1000 (0.700, 0.900), 1.5 s  best so far\n"
        )

    def test_a_validation_without_classes_that_is_not_the_best(self, log: Screen) -> None:
        LineDisplay(log.console).validated(validation_report(per_class={}, best=False))
        assert log.text.endswith("other 0.1000, 1.5 s\n")

    @pytest.mark.parametrize(
        ("unprinted", "line"),
        [
            (("other",), "dice 0.8000 (0.700, 0.900), 1.5 s"),
            (("dice",), "other 0.1000, 1.5 s"),
            (("dice", "other"), "1.5 s"),
        ],
    )
    def test_metrics_with_do_print_false_are_left_out(self, log: Screen, unprinted: tuple[str, ...], line: str) -> None:
        LineDisplay(log.console).validated(validation_report(unprinted=unprinted))
        assert log.text == f"validation at epoch 1, step 3: {line}  best so far\n"

    def test_the_cache_says_when_it_is_full(self, log: Screen) -> None:
        display = LineDisplay(log.console)
        display.filling(1, 3)
        display.filling(3, 3)
        assert log.text == "cache: 3 of 3 items\n"

    def test_warnings_are_shown_as_they_are(self, log: Screen) -> None:
        LineDisplay(log.console).warned("a [bold]path[/bold] :smile:")
        assert log.text == "warning: a [bold]path[/bold] :smile:\n"

    def test_the_rest_is_quiet(self, log: Screen) -> None:
        display = LineDisplay(log.console)
        display.epoch_ended(epoch_report())
        display.validating(1, 2)
        display.closed()
        assert log.text == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.6, "1:00"),
        (61, "1:01"),
        (3600, "1:00:00"),
        (36061, "10:01:01"),
        (math.nan, "--:--"),
        (math.inf, "--:--"),
    ],
)
def test_times_are_told_as_on_a_clock(seconds: float, text: str) -> None:
    assert module._clock(seconds) == text


class TestTerminal:
    def test_a_whole_course(self, terminal: Screen) -> None:
        display = LiveDisplay(terminal.console)
        display.filling(1, 2)
        display.filling(2, 2)
        display.started(run_start())
        display.stepped(step_report())
        display.validating(1, 2)
        display.validated(validation_report())
        display.stepped(step_report(step=4, fraction=1.0))
        display.epoch_ended(epoch_report())
        display.closed()
        assert "network of 12,345 parameters" in terminal.text
        assert "validation at epoch 1, step 3: dice 0.8000" in terminal.text
        for part in ("epoch 1", "loss 0.500", "dice 0.800", "4.0 samples/s", "waiting 10%", "ETA 1:01"):
            assert part in terminal.text

    def test_a_key_metric_with_do_print_false_is_not_in_the_bar(self, terminal: Screen) -> None:
        display = LiveDisplay(terminal.console)
        display.validated(validation_report(unprinted=("dice",)))
        display.stepped(step_report())
        display.closed()
        assert "loss 0.500" in terminal.text
        assert "dice" not in terminal.text

    def test_closing_without_anything_shown(self, terminal: Screen) -> None:
        LiveDisplay(terminal.console).closed()


class TestChoosing:
    def test_a_terminal_gets_the_bar_and_the_rest_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for is_terminal, kind in ((True, LiveDisplay), (False, LineDisplay)):
            monkeypatch.setattr(Console, "is_terminal", is_terminal)
            assert type(display_for(json_wanted=False)) is kind

    def test_with_json_standard_output_is_left_to_the_machine(self, capsys: pytest.CaptureFixture[str]) -> None:
        display_for(json_wanted=True).warned("careful")
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", "warning: careful\n")


class TestSteps:
    def test_lines_now_and_then_where_there_is_no_terminal(self, log: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "display_for", lambda **_: LineDisplay(log.console))
        with Steps("subjects", json_wanted=False) as steps:
            for done in range(1, 31):
                log.now = float(done)
                steps(done, 30)
        assert log.text.splitlines() == ["10 of 30 subjects", "20 of 30 subjects", "30 of 30 subjects"]

    def test_a_bar_on_a_terminal(self, terminal: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "display_for", lambda **_: LiveDisplay(terminal.console))
        with Steps("subjects", json_wanted=False) as steps:
            steps(1, 2)
            steps(2, 2)
        assert "subjects" in terminal.text
        assert "2/2" in terminal.text

    def test_the_bar_goes_away_also_after_an_error(self, terminal: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
        display = LiveDisplay(terminal.console)
        monkeypatch.setattr(module, "display_for", lambda **_: display)
        with pytest.raises(ZeroDivisionError), Steps("subjects", json_wanted=False) as steps:
            steps(1, 1 // 0)
        assert display._progress.finished
