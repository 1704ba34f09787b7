"""Post-transforms and metrics: the usual ways from logits to a score."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import DICE, part
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.judging import Judging, read_metrics, read_post
from vesalia.mmar.v4.part import read_parts

PAIR = ["pred", "label"]


def post(*nodes: dict[str, Any], draft: Draft | None = None, saves: bool = False) -> Judging:
    draft = draft or Draft("c")
    return read_post(read_parts(list(nodes), "p", draft=draft), draft, saves=saves)


def test_softmax_and_the_largest() -> None:
    found = post(
        part("Activationsd", keys="pred", softmax=True),
        part("AsDiscreted", keys=PAIR, argmax=[True, False], to_onehot=True, n_classes=2),
        part("ToTensord", keys=PAIR),
    )
    assert found == Judging("softmax", argmax=True, classes=2)


def test_sigmoid_and_a_threshold() -> None:
    found = post(
        part("Activationsd", keys=PAIR, sigmoid=[True, False]),
        part("AsDiscreted", keys="pred", threshold=0.4),
        part("SplitChanneld", keys=PAIR),
    )
    assert found == Judging("sigmoid", threshold=0.4)


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ({"to_onehot": [3, 2]}, Judging(classes=3)),
        ({"to_onehot": 4, "argmax": True}, Judging(classes=4, argmax=True)),
        ({"threshold_values": True, "logit_thresh": 0.3}, Judging(threshold=0.3)),
        ({"threshold": True}, Judging()),
    ],
)
def test_how_classes_are_told(args: dict[str, Any], wanted: Judging) -> None:
    assert post(part("AsDiscreted", keys=PAIR, **args)) == wanted


def test_what_an_evaluation_does_beside() -> None:
    found = post(
        part("Invertd", keys="pred", transform="@pre_transforms", orig_keys="image", nearest_interp=False),
        part("KeepLargestConnectedComponentd", keys="pred", applied_labels=[1]),
        part("SaveImaged", keys="pred", output_dir="x"),
        saves=True,
    )
    assert (found.inverted, found.nearest) == (True, False)
    assert found.largest == {"keys": "pred", "applied_labels": [1]}
    assert found.saved == {"keys": "pred", "output_dir": "x"}


@pytest.mark.parametrize(
    ("node", "key"),
    [
        (part("Activationsd", keys="pred"), "p[0]"),
        (part("Activationsd", keys="pred", softmax=True, sigmoid=True), "p[0]"),
        (part("SaveImaged", keys="pred"), "p[0].name"),
        (part("FillHolesd", keys="pred"), "p[0].name"),
        ({"path": "mine.AsDiscreted"}, "p[0].name"),
    ],
)
def test_unusual_steps_are_told(node: dict[str, Any], key: str) -> None:
    draft = Draft("c")
    post(node, draft=draft)
    assert [fault.key for fault in draft.faults] == [key]


def metrics(section: dict[str, Any], draft: Draft, *, judging: Judging | None = None, multilabel: bool = False) -> Any:
    return read_metrics(section, "v.", draft=draft, judging=judging or Judging(), multilabel=multilabel, slot="m")


def test_mean_dice_is_ours() -> None:
    draft = Draft("c")
    assert metrics({"metrics": [DICE]}, draft) == [
        {
            "name": "ComputeAverageDice",
            "args": {"name": "val_mean_dice", "field": "model", "is_key_metric": True, "remove_bg": True},
        }
    ]
    assert draft.places.of("m[0].args.name") == "v.metrics[0].args.name"


def test_several_labels_are_judged_channel_by_channel() -> None:
    [found] = metrics({"key_metric": part("MeanDice")}, Draft("c"), judging=Judging(threshold=0.4), multilabel=True)
    assert found["args"] == {
        "name": "MeanDice",
        "field": "model",
        "is_key_metric": True,
        "remove_bg": False,
        "is_one_hot_targets": True,
        "logit_thresh": 0.4,
    }


def test_the_key_metric_stands_for_the_others() -> None:
    draft = Draft("c")
    section = {
        "metrics": [part("Accuracy"), {"name": "MeanDice", "args": {"name": "dice_tc"}}],
        "additional_metrics": [{**DICE, "log_label": "key"}],
    }
    assert [metric["args"]["name"] for metric in metrics(section, draft)] == ["key"]
    assert len(draft.notes) == 3
    assert draft.faults == []


def test_another_key_metric_is_told() -> None:
    draft = Draft("c")
    assert metrics({"key_metric": part("HausdorffDistance")}, draft) == []
    assert [fault.key for fault in draft.faults] == ["v.key_metric.name"]
