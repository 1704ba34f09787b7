"""``vesalia components``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.cli.running import call
from vesalia.registry.catalog import CATALOG


def test_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "components", "--json")
    assert answer.data["components"] == {slot: sorted(names) for slot, names in CATALOG.items()}
    shown = call(capsys, "components").out
    assert all(name in shown for names in CATALOG.values() for name in names)


@pytest.mark.parametrize("name", sorted({name for names in CATALOG.values() for name in names}))
def test_each_of_them_can_be_shown(capsys: pytest.CaptureFixture[str], name: str) -> None:
    answer = call(capsys, "components", name)
    assert answer.code == 0
    assert answer.out.startswith(f"{name} (")


def test_one_with_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    data = call(capsys, "components", "ReducePoly", "--json").data
    assert (data["name"], data["slot"]) == ("ReducePoly", "lr_policy")
    assert data["arguments"] == {"poly_power": {"type": "NonNegative", "required": True, "default": None}}


def test_what_the_framework_fills_in_is_no_argument_of_a_config(capsys: pytest.CaptureFixture[str]) -> None:
    data = call(capsys, "components", "Unet", "--json").data
    assert "in_channels" not in data["arguments"]
    assert data["arguments"]["num_classes"]["required"] is True
    assert data["arguments"]["final_activation"]["default"] == "softmax"


def test_a_misspelt_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "components", "Segresnett", "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    assert "did you mean SegResnet?" in answer.err


def test_a_name_like_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert "run vesalia components for all names" in call(capsys, "components", "zzzzzzzz").err
