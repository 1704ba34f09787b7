"""Handlers: a few set something, the usual ones have nothing to do here, and unknown ones are told."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import part
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.handlers import Handled, read_handlers


def handled(*nodes: Any, draft: Draft | None = None, loads: bool = True) -> Handled:
    return read_handlers(list(nodes), "h", draft=draft or Draft("c"), loads=loads)


def test_what_handlers_set() -> None:
    found = handled(
        part("ValidationHandler", validator="@evaluator", interval=5),
        part("LrScheduleHandler", epoch_level=False),
        part("CheckpointLoader", load_path="a.pt", load_dict={"model": "@model"}),
    )
    assert found == Handled((5, "h[0].args.interval"), by_step=True, checkpoint=("a.pt", "h[2].args.load_path"))


def test_what_they_leave_open() -> None:
    assert handled(part("ValidationHandler"), {"name": "LrScheduleHandler"}, part("CheckpointLoader")) == Handled()
    assert read_handlers(None, "h", draft=Draft("c")) == Handled()


def test_code_of_handlers_without_effect_is_not_looked_at() -> None:
    draft = Draft("c")
    handled(part("StatsHandler", output_transform="lambda x: x['loss'].item()"), draft=draft)
    assert draft.faults == []
    assert draft.notes == ["h[0] StatsHandler -> nothing (every run reports its loss and metrics)"]


def test_evaluation_has_its_own_weights() -> None:
    draft = Draft("c")
    assert handled(part("CheckpointLoader", load_path="a"), draft=draft, loads=False) == Handled()
    assert draft.notes == ["h[0] CheckpointLoader -> nothing (the model that was trained is judged)"]


def test_references_and_disabled_ones_are_left_out() -> None:
    draft = Draft("c")
    handled({"ref": "A"}, {"ref": "B", "disabled": True}, {"name": "X", "disabled": True}, draft=draft)
    assert draft.notes == ["h[0] A -> nothing (a handler named by ref)"]
    assert draft.faults == []


@pytest.mark.parametrize(
    ("node", "key", "found"),
    [
        (part("StatHandler"), "h[0].name", '"StatHandler"'),
        ({"path": "mine.StatsHandler"}, "h[0].name", '"StatsHandler"'),
        ({"path": "mine.CheckpointLoader"}, "h[0].name", '"CheckpointLoader"'),
        (part("EarlyStopHandler", patience=3), "h[0]", "EarlyStopHandler"),
        (part("ValidationHandler", epoch_level=False, interval=10), "h[0].args.epoch_level", "false"),
        (part("ValidationHandler", epoch_level="x"), "h[0].args.epoch_level", '"x"'),
        ("StatsHandler", "h[0]", '"StatsHandler"'),
    ],
)
def test_what_cannot_be_is_told(node: Any, key: str, found: str) -> None:
    draft = Draft("c")
    handled(node, draft=draft)
    assert [(fault.key, fault.found) for fault in draft.faults] == [(key, found)]


def test_handlers_are_a_list() -> None:
    draft = Draft("c")
    read_handlers({"name": "StatsHandler"}, "h", draft=draft)
    assert [fault.key for fault in draft.faults] == ["h"]


def test_arguments_may_be_missing() -> None:
    assert handled({"name": "ValidationHandler", "args": None}) == Handled()
