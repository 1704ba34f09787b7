"""The table and the page say what was measured."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.datatools.pipeline_figures import costs, setting
from vesalia.datatools.pipeline_advice import Advice
from vesalia.datatools.pipeline_bench import PipelineBench
from vesalia.datatools.pipeline_page import Row, bench_page, readable_seconds, rows


def test_rows_go_from_the_file_to_the_step() -> None:
    found = [row.cells() for row in rows(costs(), setting())]
    assert found == [
        ("decode", "600 ms", "2.4 s"),
        ("resample", "300 ms", "1.2 s"),
        ("other fixed steps", "60 ms", "240 ms"),
        ("check and keep", "40 ms", "160 ms"),
        ("crop and augment", "100 ms", "400 ms"),
        ("Crop + Flip", "60 ms", "240 ms"),
        ("AdjustContrast", "40 ms", "160 ms"),
        ("batch", "", "100 ms"),
        ("forward", "", "400 ms"),
        ("backward", "", "600 ms"),
        ("waiting for data", "", "500 ms"),
        ("a step, all in all", "", "1.5 s"),
    ]


def test_what_a_cache_does_once_is_no_part_of_a_step() -> None:
    found = {row.name: row for row in rows(costs(lookup=0.001), setting(cached=40))}
    assert found["decode"].cells() == ("decode", "600 ms", "once")
    assert found["take from the cache"].per_step == pytest.approx(0.004)


def test_what_a_moving_cache_replaces_is_spread_over_steps() -> None:
    found = {row.name: row for row in rows(costs(), setting(cached=20, replaced=5))}
    assert found["decode"].per_step == pytest.approx(0.6)


@pytest.mark.parametrize("cached", [0, 40])
def test_the_page_holds_figures_pictures_and_the_advice(cached: int) -> None:
    bench = PipelineBench("spl<een", "cpu", costs(), setting(cached=cached), Advice("use more & better", 2.0))
    page = bench_page(bench)
    assert "spl&lt;een" in page
    assert "use more &amp; better" in page
    assert page.count("<svg") == 2
    assert "33.3%" in page
    assert ("no cache" in page) == (not cached)
    assert set(bench.to_dict()) == {"archive", "device", "costs", "setting", "advice"}


def test_durations() -> None:
    given = [1234.5, 12.34, 0.5, 0.0123, 0.0000123]
    assert [readable_seconds(one) for one in given] == ["1234 s", "12.3 s", "500 ms", "12.3 ms", "0.01 ms"]


def test_a_row_without_items() -> None:
    assert Row("batch", None, 1.0).cells() == ("batch", "", "1 s")
