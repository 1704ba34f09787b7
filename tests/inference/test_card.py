"""Cards: what is known of weights, written and read, and refused when it is not a card."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.inference.tiny import CLASSES, unet_plan
from vesalia.errors import CheckpointError
from vesalia.inference.card import FORMAT_VERSION, header_metadata, model_card, read_card, read_header


def card(**more: Any) -> dict[str, Any]:
    config = {"epochs": 3}
    return model_card(unet_plan(), in_channels=2, class_names=CLASSES, config=config, epoch=2, **more)


def test_a_card_holds_what_rebuilds_the_model() -> None:
    made = card(metric=("dice", 0.5), versions={"torch": "2"}, step=40)
    assert made["format_version"] == FORMAT_VERSION
    assert made["model"]["name"] == "Unet"
    assert made["in_channels"] == 2
    assert made["class_names"] == list(CLASSES)
    assert made["metric"] == {"name": "dice", "value": 0.5}
    assert (made["epoch"], made["step"], made["versions"]) == (2, 40, {"torch": "2"})
    assert made["config"] == {"epochs": 3}


def test_a_metric_that_is_no_number_is_null() -> None:
    assert card(metric=("dice", math.nan))["metric"] == {"name": "dice", "value": None}
    assert card()["metric"] is None


def test_a_card_is_read_back(tmp_path: Path) -> None:
    written = {**json.loads(json.dumps(card())), "sha256": "0"}
    (tmp_path / "model.json").write_text(json.dumps(written))
    assert read_card(tmp_path / "model.ckpt") == written


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.json: found no card beside the weights and none in them"):
        read_card(tmp_path / "model")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[]", "not a model card"),
        ('{"epochs": 3}', "not a model card"),
        ('{"format": "vesalia-model"}', "format_version: found None"),
        ('{"format": "vesalia-model", "format_version": 99}', "found 99, expected at most 1; install a newer"),
        ('{"format": "vesalia-model", "format_version": 1}', "model: found None, expected dict"),
        ('{"format": "vesalia-model", "format_version": 1, "model": {}, "in_channels": "1"}', "in_channels: found '1'"),
    ],
)
def test_what_is_no_card_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(CheckpointError, match=says):
        read_card(tmp_path / "model")


def test_the_header_s_card_names_no_folder_and_no_nan() -> None:
    (text,) = header_metadata(card(best=math.nan)).values()
    assert json.loads(text) == {key: value for key, value in card(best=None).items() if key != "config"} | {
        "class_names": list(CLASSES),
        "model": json.loads(json.dumps(card()["model"])),
    }


@pytest.mark.parametrize("content", [b"", b"\x02", b"\x02" + bytes(7) + b"[]", b"\xff" * 99, b"\x09" + bytes(99)])
def test_what_is_no_header_is_empty(content: bytes) -> None:
    assert read_header(io.BytesIO(content)) == {}


def test_a_header_nested_without_end_is_empty() -> None:
    text = b"[" * 100_000
    assert read_header(io.BytesIO(len(text).to_bytes(8, "little") + text)) == {}
