"""A config is one of v4 by its keys, and one of v3 otherwise."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.archives import TRAIN, VALIDATION
from tests.mmar.v4.archives import ARCHIVES, EVALUATE
from vesalia.mmar.v4.recognise import evaluation_section, is_v4


@pytest.mark.parametrize("name", ARCHIVES)
def test_training_configs_are_recognised(name: str) -> None:
    assert is_v4(ARCHIVES[name])


@pytest.mark.parametrize(
    "config",
    [
        EVALUATE,
        {"num_interval_per_valid": 2},
        {"CLARA_TRAIN_VERSION": "4.0", "train": 1},
        {"train": {"lr_scheduler": None}},
        {"dataset": {}},
    ],
)
def test_so_are_others_with_a_key_of_their_own(config: dict[str, Any]) -> None:
    assert is_v4(config)


@pytest.mark.parametrize("config", [TRAIN, VALIDATION, {}, {"train": [], "validate": {}}])
def test_v3_is_left_alone(config: dict[str, Any]) -> None:
    assert not is_v4(config)


def test_the_parts_of_an_evaluation_stand_in_a_section_or_at_the_top() -> None:
    assert evaluation_section(EVALUATE) == "validate"
    assert evaluation_section({"evaluate": {}}) == "evaluate"
    assert evaluation_section({"dataset": {}, "validate": 1}) == ""
