"""What all translations share: values of the top level, keys of a section, trainer, inferer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import part
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import Part, read_part
from vesalia.mmar.v4.translation import Translation, check_keys, engine, translate_inferer


def read(node: Any, draft: Draft) -> Part | None:
    return read_part(node, "k", draft=draft)


@pytest.mark.parametrize(
    ("values", "other", "wanted"),
    [
        ({"amp": True}, None, (True, "amp")),
        ({"amp": True}, (True, "t.amp"), (True, "amp")),
        ({"amp": True}, (False, "t.amp"), (False, "t.amp")),
        ({}, (False, "t.amp"), (False, "t.amp")),
    ],
)
def test_a_value_comes_from_a_component_or_from_the_top(values: dict[str, Any], other: Any, wanted: Any) -> None:
    done = Translation(Draft("c"))
    done.first("use_amp", values, top="amp", other=other)
    assert done.settings == {"use_amp": wanted}
    assert done.draft.places.of("use_amp") == wanted[1]


def test_a_value_that_nobody_gives_is_left_open() -> None:
    done = Translation(Draft("c"))
    done.first("use_amp", {}, top="amp")
    assert done.settings == {}


def test_keys_are_known_misspelt_or_idle() -> None:
    draft = Draft("c")
    check_keys({"loss": 1, "optimiser": 1, "whatever": 1, "__x": 1}, "t.", known=("loss", "optimizer"), draft=draft)
    assert [(fault.key, fault.write) for fault in draft.faults] == [("t.optimiser", '"optimizer" (did you mean this?)')]
    assert draft.notes == ["t.whatever -> nothing (no key that is known here)"]


def test_the_trainer_is_the_usual_one() -> None:
    draft = Draft("c")
    args = engine(read(part("SupervisedTrainer", max_epochs=3, epoch_length=4), draft), "trainer", draft=draft)
    assert args["max_epochs"] == 3
    assert draft.notes == ["k.args.epoch_length -> nothing"]
    assert engine(None, "trainer", draft=draft) == {}
    engine(read(part("GanTrainer"), draft), "trainer", draft=draft)
    assert [fault.key for fault in draft.faults] == ["k.name"]


def test_one_pass() -> None:
    draft = Draft("c")
    assert translate_inferer(None, "i", draft=draft, dims=3) == {"name": "TFSimpleInferer"}
    assert translate_inferer(read(part("SimpleInferer"), draft), "i", draft=draft, dims=3) == {
        "name": "TFSimpleInferer"
    }


@pytest.mark.parametrize(("roi", "wanted"), [([8, 8], [8, 8]), (8, [8, 8])])
def test_a_sliding_window(roi: Any, wanted: list[int]) -> None:
    draft = Draft("c")
    node = part("SlidingWindowInferer", roi_size=roi, sw_batch_size=4, mode="gaussian", sw_device="cpu", other=1)
    assert translate_inferer(read(node, draft), "i", draft=draft, dims=2) == {
        "name": "TFScanWindowInferer",
        "args": {"roi_size": wanted, "batch_size": 4, "mode": "gaussian", "other": 1},
    }
    assert draft.places.of("i.args.batch_size") == "k.args.sw_batch_size"


def test_windows_are_averaged_as_monai_does_by_default() -> None:
    draft = Draft("c")
    found = translate_inferer(read(part("SlidingWindowInferer", roi_size=[8, 8]), draft), "i", draft=draft, dims=2)
    assert found["args"]["mode"] == "constant"


def test_another_inferer_is_told() -> None:
    draft = Draft("c")
    translate_inferer(read(part("SaliencyInferer"), draft), "i", draft=draft, dims=3)
    assert [fault.key for fault in draft.faults] == ["k.name"]
