"""The command lines that scripts in old archives use, and what they mean here."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from nvmidl.apps.arguments import parser, translate
from vesalia.cli.arguments import spread_set


def translated(*words: str) -> list[str]:
    """What ``vesalia`` is given, after it spread the settings."""
    return spread_set(translate("train", parser("nvmidl.apps.train").parse_args(words)))


def test_the_words_of_an_old_script() -> None:
    words = ["-m", "/mmar", "-c", "config/c.json", "-e", "config/e.json", "--set", "epochs=1260", "multi_gpu=false"]
    assert translated(*words) == [
        "train",
        "/mmar",
        "-c",
        "config/c.json",
        "-e",
        "config/e.json",
        "--set",
        "epochs=1260",
        "--set",
        "multi_gpu=false",
    ]


@pytest.mark.parametrize("more", [["--set"], ["--set", "--json"], []])
def test_set_may_be_empty(more: list[str]) -> None:
    assert "--set" not in translated("-m", "x", "-c", "c.json", *more)


def test_set_may_come_twice() -> None:
    words = ["-m", "x", "-c", "c", "--set", "a=1", "--set", "b=2"]
    assert [word for word in translated(*words) if "=" in word] == ["a=1", "b=2"]


def test_long_names() -> None:
    assert translated("--mmar", "x", "--config", "c", "--environment", "e")[:6] == ["train", "x", "-c", "c", "-e", "e"]


def test_the_environment_has_its_usual_place() -> None:
    assert "config/environment.json" in translated("-m", "x", "-c", "c")


@pytest.mark.parametrize("option", ["--json", "--allow-custom-code"])
def test_vesalia_s_own_options_pass(option: str) -> None:
    assert option in translated("-m", "x", "-c", "c", option)
    assert option not in translated("-m", "x", "-c", "c")


@pytest.mark.parametrize("words", [[], ["-m", "x"], ["-c", "c"], ["-m", "x", "-c", "c", "--nonsense"]])
def test_what_is_missing_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        translated(*words)
    assert left.value.code == 2
    assert "python -m nvmidl.apps.train" in capsys.readouterr().err
