"""What v3's constructors took and ours have no use for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.mmar.v3_arguments import without_effect


@pytest.mark.parametrize(
    ("slot", "component", "name", "found"),
    [
        ("optimizer", "Adam", "use_locking", True),
        ("writer", "WriteNifti", "revert_canonical", True),
        ("transform", "RandomZoom", "keep_size", True),
        ("transform", "LoadNifti", "keep_size", False),
        ("loss", "Dice", "use_locking", False),
        ("elsewhere", "Dice", "data_format", False),
    ],
)
def test_by_slot_and_by_component(slot: str, component: str, name: str, found: bool) -> None:
    assert without_effect(slot, component, name) is found
