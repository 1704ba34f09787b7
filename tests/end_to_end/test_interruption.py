"""A training that is stopped, killed or out of time: saved in words, and resumed to the very same weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.mistakes import all_of, put
from tests.end_to_end.workbench import Answer, Bench, in_process, process_environment
from vesalia.inference.weights import load_weights

EPOCHS = 12
_PATIENCE_S = 90

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def longer_bench(tmp_path_factory: pytest.TempPathFactory, sound_bench: Bench) -> Bench:
    """An archive whose training can be caught in the middle: its code is the archive's own, and waits at each step."""
    made = sound_bench.copy(tmp_path_factory.mktemp("longer") / "bench")
    (made.archive / "custom").mkdir()
    (made.archive / "custom" / "patient.py").write_text(_PATIENT)
    all_of(
        put("epochs", EPOCHS),
        put("num_training_epoch_per_valid", 3),
        put("train.loss", {"path": "patient.PatientDice"}),
    )(made)
    return made


_PATIENT = """
import os
import time
from vesalia.components.losses.dice import Dice


class PatientDice(Dice):
    def __call__(self, probabilities, target):
        time.sleep(float(os.environ.get("PATIENCE_S", "0")))
        return super().__call__(probabilities, target)
"""


@pytest.fixture(scope="session")
def straight_through(tmp_path_factory: pytest.TempPathFactory, longer_bench: Bench) -> list[bytes]:
    """The best and the last weights of a run that nobody disturbed."""
    made = longer_bench.copy(tmp_path_factory.mktemp("straight") / "bench")
    answer = in_process(*arguments(made))
    assert answer.code == 0, answer.err
    return weights(made)


@pytest.fixture
def longer(tmp_path: Path, longer_bench: Bench) -> Bench:
    return longer_bench.copy(tmp_path / "bench")


def arguments(bench: Bench, *more: str) -> list[str]:
    return ["train", str(bench.archive), "--seed", "5", "--device", "cpu", "--allow-custom-code", "--json", *more]


def weights(bench: Bench) -> list[bytes]:
    return [(bench.models / f"{name}.safetensors").read_bytes() for name in ("model", "model_final")]


@contextmanager
def training(bench: Bench, *more: str, patience_s: float = 0.2) -> Iterator[subprocess.Popen[str]]:
    """A training in a process of its own, its steps slowed down; it is ended afterwards, whatever happened."""
    command = [sys.executable, "-m", "vesalia", *arguments(bench, *more)]
    environment = process_environment(PATIENCE_S=str(patience_s))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_epoch(bench: Bench, epoch: int, process: subprocess.Popen[str]) -> None:
    """Wait until the run has written that an epoch is over."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the training ended too early: {process.communicate()}")
        history = bench.models / "history.jsonl"
        lines = history.read_text().splitlines() if history.exists() else []
        if sum('"kind": "epoch"' in line for line in lines) >= epoch:
            return
        time.sleep(0.02)
    pytest.fail("the training did not come that far")


def ended(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=_PATIENCE_S)
    return Answer(process.returncode, out, err)


def resumed(bench: Bench) -> Answer:
    answer = in_process(*arguments(bench, "--resume"))
    assert answer.code == 0, answer.err
    return answer


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_saves_and_resuming_ends_the_same(
    longer: Bench, straight_through: list[bytes], asked: signal.Signals
) -> None:
    with training(longer) as process:
        wait_for_epoch(longer, 4, process)
        process.send_signal(asked)
        answer = ended(process)
    assert answer.code == 128 + asked
    assert "Traceback" not in answer.err
    assert (answer.data["ok"], answer.data["error"], answer.data["exit_code"]) == (False, "Interrupted", 128 + asked)
    assert "go on with --resume" in answer.data["message"]
    assert not (longer.models / "model_final.safetensors").exists()
    again = resumed(longer).data
    assert (again["resumed"], again["epochs"], again["seed"]) == (True, EPOCHS, 5)
    assert weights(longer) == straight_through


def test_a_run_that_is_stopped_and_then_killed_ends_the_same(longer: Bench, straight_through: list[bytes]) -> None:
    with training(longer) as process:
        wait_for_epoch(longer, 2, process)
        process.send_signal(signal.SIGTERM)
        assert ended(process).code == 128 + signal.SIGTERM
    with training(longer, "--resume") as process:
        wait_for_epoch(longer, 7, process)
        process.kill()
        ended(process)
    assert resumed(longer).data["resumed"] is True
    assert weights(longer) == straight_through


def test_a_kill_tears_nothing(longer: Bench, straight_through: list[bytes]) -> None:
    with training(longer) as process:
        wait_for_epoch(longer, 5, process)
        process.kill()
        assert ended(process).code == -signal.SIGKILL
    assert load_weights(longer.models / "model").card["epoch"] == 3
    for line in (longer.models / "history.jsonl").read_text().splitlines():
        assert json.loads(line)["step"] > 0
    resumed(longer)
    assert weights(longer) == straight_through
    assert list(longer.models.rglob(".writing-*")) == []


@pytest.mark.parametrize("after_s", [0.0, 0.5])
def test_a_kill_at_any_time_can_be_resumed(longer: Bench, straight_through: list[bytes], after_s: float) -> None:
    """The run saves its state after the last step: right there, too."""
    with training(longer, patience_s=0.0) as process:
        wait_for_epoch(longer, 1, process)
        time.sleep(after_s)
        process.kill()
        ended(process)
    resumed(longer)
    assert weights(longer) == straight_through


def test_resuming_where_there_is_nothing_starts_afresh(longer: Bench, straight_through: list[bytes]) -> None:
    answer = resumed(longer)
    assert answer.data["resumed"] is False
    assert weights(longer) == straight_through


def test_resuming_what_has_ended_changes_nothing(longer: Bench, straight_through: list[bytes]) -> None:
    in_process(*arguments(longer))
    before = longer.tree()
    assert resumed(longer).data["epochs"] == EPOCHS
    assert longer.tree() == before
    assert weights(longer) == straight_through


def test_a_stop_during_evaluation_is_told(bench: Bench) -> None:
    command = [sys.executable, "-m", "vesalia", "evaluate", str(bench.archive), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=process_environment()
    ) as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        answer = ended(process)
    assert answer.code in {0, 130}  # it may have been done
    assert "Traceback" not in answer.err
    assert answer.data["ok"] is (answer.code == 0)


def test_a_budget_is_kept_and_the_run_says_so(longer: Bench) -> None:
    budget_s = 20
    began = time.monotonic()
    with training(longer, "--budget", f"{budget_s}s", patience_s=0.05) as process:
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert time.monotonic() - began < 3 * budget_s
    told = answer.data
    assert told["best_epoch"] > 0
    assert told["epochs"] > EPOCHS  # the budget decides, not the config
    assert 0 < told["seconds"] < 3 * budget_s
    assert load_weights(longer.models / "model_final").card["seed"] == 5
