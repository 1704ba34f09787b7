"""How a command ends: exit codes, words for people, one JSON line for machines."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from vesalia.cli.answer import answer_usage_error, run, say
from vesalia.errors import ConfigError, DataError, Fault, Interrupted, ResourceError, VesaliaError


def fails(error: BaseException) -> Callable[[], Mapping[str, Any]]:
    """Work that goes wrong."""

    def work() -> Mapping[str, Any]:
        raise error

    return work


def code_of(work: Callable[[], Mapping[str, Any]], *, json_wanted: bool = True) -> int:
    """Run ``work`` and give the exit code."""
    with pytest.raises(typer.Exit) as left:
        run(work, json_wanted=json_wanted)
    return left.value.exit_code


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line of standard output as JSON."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


class TestSuccess:
    def test_the_answer_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        run(lambda: {"best": 0.5, "path": Path("a/b"), "two": (1, 2)}, json_wanted=True)
        out = capsys.readouterr().out
        assert json.loads(out) == {"ok": True, "best": 0.5, "path": "a/b", "two": [1, 2]}
        assert out.count("\n") == 1

    @pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
    def test_numbers_that_json_lacks_are_null(self, capsys: pytest.CaptureFixture[str], number: float) -> None:
        run(lambda: {"deep": [{"value": number}]}, json_wanted=True)
        assert last_line(capsys)["deep"] == [{"value": None}]

    def test_people_get_the_words_of_the_work_and_no_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        def work() -> Mapping[str, Any]:
            say("best: 0.5")
            return {"best": 0.5}

        run(work, json_wanted=False)
        assert capsys.readouterr().out == "best: 0.5\n"

    def test_an_answer_that_is_not_ok_has_exit_code_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert code_of(lambda: {"ok": False}) == 2
        assert last_line(capsys) == {"ok": False}


class TestFailure:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (ConfigError("x"), 2),
            (DataError("x"), 2),
            (ResourceError("x"), 2),
            (VesaliaError("x"), 1),
            (Interrupted("x", signal_number=2), 130),
            (Interrupted("x", signal_number=15), 143),
            (KeyboardInterrupt(), 130),
            (RuntimeError("x"), 1),
        ],
        ids=repr,
    )
    def test_each_has_its_exit_code_and_its_json_line(
        self, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
    ) -> None:
        assert code_of(fails(error)) == code
        found = last_line(capsys)
        assert (found["ok"], found["error"], found["exit_code"]) == (False, type(error).__name__, code)
        assert found["message"]

    def test_a_user_s_error_is_words_on_standard_error_without_a_traceback(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fault = Fault("config.json", "epochs", "'x'", "a whole number", "10")
        code_of(fails(ConfigError("1 fault:", faults=[fault])), json_wanted=False)
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"1 fault:\n{fault}\n"

    def test_faults_are_data_for_machines(self, capsys: pytest.CaptureFixture[str]) -> None:
        fault = Fault("config.json", "epochs", "'x'", "a whole number", "10")
        code_of(fails(ConfigError(faults=[fault])))
        assert last_line(capsys)["faults"] == [fault.to_dict()]

    def test_a_defect_of_ours_shows_where_and_asks_for_a_report(self, capsys: pytest.CaptureFixture[str]) -> None:
        code_of(fails(ZeroDivisionError("division")), json_wanted=False)
        said = capsys.readouterr().err
        assert "Traceback" in said
        assert "this is a defect of Vesalia (ZeroDivisionError: division); please report it" in said

    def test_stopping_at_once_says_what_is_whole(self, capsys: pytest.CaptureFixture[str]) -> None:
        code_of(fails(KeyboardInterrupt()), json_wanted=False)
        assert "stopped at once, without saving" in capsys.readouterr().err

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
    def test_a_full_disk_or_a_locked_folder_is_never_a_defect(
        self, capsys: pytest.CaptureFixture[str], number: int
    ) -> None:
        assert code_of(fails(OSError(number, "no", "models/x"))) == 2
        found = last_line(capsys)
        assert found["error"] == "ResourceError"
        assert found["message"].startswith("models/x: found")

    def test_the_install_without_torch_names_the_other_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert code_of(fails(ModuleNotFoundError("no", name="torch.nn"))) == 2
        told = last_line(capsys)
        assert (told["error"], "pip install vesalia in place of vesalia-infer" in told["message"]) == (
            "ConfigError",
            True,
        )
        assert code_of(fails(ModuleNotFoundError("no", name="vesalia.gone"))) == 1

    def test_another_system_error_is_a_defect(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert code_of(fails(FileNotFoundError(errno.ENOENT, "gone", "x"))) == 1
        assert "Traceback" in capsys.readouterr().err


class TestUsage:
    def test_an_exit_keeps_its_code(self) -> None:
        assert answer_usage_error(typer.Exit(7), json_wanted=True) == 7

    def test_an_abort_is_an_interruption(self) -> None:
        assert answer_usage_error(typer.Abort(), json_wanted=True) == 130

    def test_wrong_arguments_are_said_and_answered(self, capsys: pytest.CaptureFixture[str]) -> None:
        error = typer.BadParameter("'x' is not a number")
        assert answer_usage_error(error, json_wanted=True) == 2
        said = capsys.readouterr()
        assert "'x' is not a number" in said.err
        assert "vesalia --help" in said.err
        assert json.loads(said.out)["error"] == "UsageError"

    def test_a_defect_outside_of_the_work_is_no_usage_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert answer_usage_error(ZeroDivisionError("x"), json_wanted=True) == 1
        said = capsys.readouterr()
        assert "defect of Vesalia" in said.err
        assert json.loads(said.out)["error"] == "ZeroDivisionError"


def test_other_libraries_are_kept_off_the_screen() -> None:
    import warnings

    def work() -> dict[str, Any]:
        warnings.warn("chatter", UserWarning, stacklevel=1)
        return {}

    run(work, json_wanted=False)


def test_a_reader_who_leaves_early_is_no_defect() -> None:
    listing = f"{sys.executable} -m vesalia components"
    done = subprocess.run(["bash", "-c", f"{listing} | true"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
