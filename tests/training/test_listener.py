"""Listeners: the base does nothing, an audience passes everything on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from typing import Any

import pytest

from tests.training.fakes import Ears, epoch_report, run_start, step_report, validation_report
from vesalia.training.listener import Audience, Listener

CALLS: dict[str, tuple[Any, ...]] = {
    "noted": ("what is to come",),
    "filling": (1, 2),
    "started": (run_start(),),
    "stepped": (step_report(),),
    "validating": (1, 2),
    "validated": (validation_report(),),
    "epoch_ended": (epoch_report(),),
    "warned": ("careful",),
    "closed": (),
}


def methods(kind: type) -> set[str]:
    """Public methods of a class itself."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_the_table_above_is_complete() -> None:
    assert methods(Listener) == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_the_base_listens_and_does_nothing(name: str) -> None:
    assert getattr(Listener(), name)(*CALLS[name]) is None


@pytest.mark.parametrize("name", CALLS)
def test_an_audience_passes_on_to_each_in_order(name: str) -> None:
    first, second = Ears(), Ears()
    getattr(Audience(first, second), name)(*CALLS[name])
    assert first.heard == second.heard
    assert [kind for kind, _ in first.heard] == [name]


def test_an_audience_of_nobody() -> None:
    Audience().warned("nobody hears")


def test_one_that_hears_for_the_others_is_told_before_them() -> None:
    order: list[int] = []

    class Numbered(Listener):
        def __init__(self, number: int) -> None:
            self.number = number

        def warned(self, message: str) -> None:
            order.append(self.number)

    Audience(Numbered(1), Numbered(2), Numbered(3)).warned("x")
    assert order == [1, 2, 3]
