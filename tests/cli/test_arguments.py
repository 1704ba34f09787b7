"""Arguments that verbs share: spread ``--set`` values, durations, and rows of numbers."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.cli.arguments import parse_duration, parse_numbers, spread_set
from vesalia.errors import ConfigError

words = st.text(st.characters(codec="utf-8", exclude_characters="=\x00"), min_size=1).filter(
    lambda word: not word.startswith("-")
)
settings = st.builds("{}={}".format, words, st.text())
others = st.one_of(words, st.sampled_from(["-c", "--json", "--resume", "--budget", "-e"]))


class TestSpreadingSet:
    @pytest.mark.parametrize(
        ("given_", "spread"),
        [
            (["train", "m", "--set", "a=1", "b=2"], ["train", "m", "--set", "a=1", "--set", "b=2"]),
            (["train", "--set", "a=1", "b=2", "--json", "m"], ["train", "--set", "a=1", "--set", "b=2", "--json", "m"]),
            (["train", "--set", "a=1", "m"], ["train", "--set", "a=1", "m"]),
            (["train", "m", "--set"], ["train", "m"]),
            (["train", "m", "--set", "--json"], ["train", "m", "--json"]),
            (["--set", "a=1", "--set", "b=2"], ["--set", "a=1", "--set", "b=2"]),
            (["--set", "a=", "b==c"], ["--set", "a=", "--set", "b==c"]),
            (["--set", "lr=-1"], ["--set", "lr=-1"]),
            (["a=1", "b=2"], ["a=1", "b=2"]),
            (["--set", "a=1", "-c", "x=y"], ["--set", "a=1", "-c", "x=y"]),
            ([], []),
        ],
    )
    def test_each_value_gets_a_set_of_its_own(self, given_: list[str], spread: list[str]) -> None:
        assert spread_set(given_) == spread

    @given(st.lists(others), st.lists(settings), st.lists(others))
    def test_nothing_is_lost_or_reordered(self, before: list[str], values: list[str], after: list[str]) -> None:
        spread = spread_set([*before, "--set", *values, *after])
        expected = [*before, *(part for value in values for part in ("--set", value)), *after]
        assert spread == expected

    @given(st.lists(settings, min_size=1))
    def test_spreading_twice_changes_nothing_more(self, values: list[str]) -> None:
        once = spread_set(["--set", *values])
        assert spread_set(once) == once


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("90", 90.0),
            ("300s", 300.0),
            ("5m", 300.0),
            ("5min", 300.0),
            ("1.5h", 5400.0),
            (" 2 H ", 7200.0),
            ("0.5s", 0.5),
        ],
    )
    def test_what_it_understands(self, text: str, seconds: float) -> None:
        assert parse_duration(text, option="--budget") == seconds

    @given(st.integers(1, 10**6), st.sampled_from([("s", 1), ("m", 60), ("min", 60), ("h", 3600), ("", 1)]))
    def test_units_multiply(self, number: int, unit: tuple[str, int]) -> None:
        assert parse_duration(f"{number}{unit[0]}", option="--budget") == number * unit[1]

    @pytest.mark.parametrize("text", ["", "s", "0", "0s", "-5s", "5 days", "1h30m", "nan", "inf", "1e3", "5,5s", "٣s"])
    def test_what_it_refuses_with_what_to_write(self, text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_duration(text, option="--budget")
        assert str(caught.value) == (f"--budget: found {text!r}, expected a time such as 300s, 5m or 1.5h; write 300s")

    @given(st.text())
    def test_any_text_is_a_positive_time_or_refused(self, text: str) -> None:
        with contextlib.suppress(ConfigError):
            assert parse_duration(text, option="--budget") > 0


@pytest.mark.parametrize("text", ["1 1 2.5", "1,1,2.5", "1x1x2.5", " [1, 1, 2.5] "])
def test_rows_of_numbers(text: str) -> None:
    assert parse_numbers(text, option="--spacing-mm") == (1.0, 1.0, 2.5)


@pytest.mark.parametrize("text", ["", "one", "1;2"])
def test_what_is_no_row_of_numbers(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--spacing-mm: found .*, expected numbers"):
        parse_numbers(text, option="--spacing-mm")
