"""The table of pairs that are slow or wrong, and how versions are compared with it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.runtime.known_troubles import TROUBLES, cudnn_parts, troubles_of, version_parts


@pytest.mark.parametrize(
    ("torch", "cudnn", "known"),
    [
        ("2.9.0+cu128", 91002, True),
        ("2.9.1", 91400, True),
        ("2.9.1", 91500, False),
        ("2.9.1", 91900, False),
        ("2.8.0", 91002, False),
        ("2.10.0", 91002, False),
        ("2.13.0a0+git", None, False),
        ("2.9.0", None, True),  # no version told: better a word too many
    ],
)
def test_amp_of_torch_2_9_with_old_cudnn(torch: str, cudnn: int | None, known: bool) -> None:
    found = troubles_of("cuda", torch=version_parts(torch), cudnn=cudnn_parts(cudnn))
    assert ["166122" in trouble.sources[0] for trouble in found] == [True] * known


@pytest.mark.parametrize(("number", "parts"), [(91002, (9, 10, 2)), (90100, (9, 1, 0)), (8902, (8, 9, 2)), (None, ())])
def test_cudnns_number(number: int | None, parts: tuple[int, ...]) -> None:
    assert cudnn_parts(number) == parts


@pytest.mark.parametrize(("text", "parts"), [("2.9.1+cu128", (2, 9, 1)), ("2.10", (2, 10)), ("unknown", ())])
def test_the_numbers_of_a_version(text: str, parts: tuple[int, ...]) -> None:
    assert version_parts(text) == parts


def test_other_devices_have_their_own() -> None:
    assert {trouble.device for trouble in troubles_of("mps", torch=(2, 9), cudnn=())} == {"mps"}


def test_each_row_says_what_to_do_and_where_it_is_from() -> None:
    assert all(trouble.write and trouble.sources for trouble in TROUBLES)
