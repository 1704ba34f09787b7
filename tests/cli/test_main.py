"""The command as a whole: help, version, wrong arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import vesalia
from tests.cli.running import call

VERBS = ("check", "new", "train", "evaluate", "infer", "demo", "components", "data")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_verb(capsys: pytest.CaptureFixture[str], option: str) -> None:
    answer = call(capsys, option)
    assert answer.code == 0
    assert all(verb in answer.out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    answer = call(capsys, verb, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"vesalia {verb}" in answer.out


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "data"])
def test_every_verb_answers_in_json(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert "--json" in call(capsys, verb, "--help").out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "--version")
    assert (answer.code, answer.out) == (0, f"vesalia {vesalia.__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian", "x"],
        ["train"],
        ["train", "x", "y"],
        ["train", "x", "--bugdet", "5s"],
        ["train", "x", "--seed", "-1"],
        ["train", "x", "--set", "no-equals-sign"],
        ["new", "x"],
        ["data", "synthesize"],
        ["data", "synthesize", "x", "--cases", "1"],
        ["demo", "--size", "small"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_exit_code_2_in_words_and_in_json(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    answer = call(capsys, *arguments, "--json")
    assert answer.code == 2
    assert answer.err.startswith("vesalia: ")
    assert (answer.data["ok"], answer.data["error"]) == (False, "UsageError")
    assert call(capsys, *arguments).out == ""


def test_a_misspelt_option_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--budget" in call(capsys, "train", "x", "--bugdet", "5s").err


@pytest.mark.parametrize("arguments", [[], ["data"]])
def test_nothing_to_do_shows_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    answer = call(capsys, *arguments)
    assert answer.code in {0, 2}
    assert "Usage: vesalia" in answer.out + answer.err


@pytest.mark.parametrize("verb", ["check", "train", "evaluate", "infer"])
def test_a_folder_that_is_no_archive_is_a_user_s_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, verb: str
) -> None:
    answer = call(capsys, verb, tmp_path / "nowhere", "--json")
    assert answer.code == 2
    assert (answer.data["ok"], answer.data["error"]) == (False, "ArchiveError")
    assert "nowhere" in answer.err


def test_help_loads_neither_torch_nor_numpy() -> None:
    code = (
        "import sys\nfrom vesalia.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "import json; print(json.dumps(sorted({'torch', 'numpy', 'nibabel', 'rich.progress'} & set(sys.modules))))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout.splitlines()[-1]) == []


def test_the_process_s_own_arguments_are_taken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from vesalia.cli.main import main

    monkeypatch.setattr(sys, "argv", ["vesalia", "--version"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert vesalia.__version__ in capsys.readouterr().out
