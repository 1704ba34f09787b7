"""Which fields are read as labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.spatial.reading_mode import mode_for, reading_mode, reading_modes

FLOATS, WHOLE = Volume(torch.zeros(2, 2)), Volume(torch.zeros(2, 2, dtype=torch.int16))


@pytest.mark.parametrize(
    ("name", "volume", "mode"),
    [
        ("label", FLOATS, "nearest"),
        ("Label_2", FLOATS, "nearest"),
        ("mask", FLOATS, "nearest"),
        ("image", WHOLE, "linear"),
        ("image2", WHOLE, "linear"),
        ("other", WHOLE, "nearest"),
        ("model", FLOATS, "linear"),
    ],
)
def test_name_first_then_type(name: str, volume: Volume, mode: str) -> None:
    assert reading_mode(name, volume) == mode


def test_what_the_config_says_counts_more() -> None:
    assert [mode_for("label", FLOATS, is_label=said) for said in (None, True, False)] == [
        "nearest",
        "nearest",
        "linear",
    ]


def test_all_fields_at_once() -> None:
    sample = Sample({"image": FLOATS, "label": FLOATS})
    assert reading_modes(sample, ["image", "label"]) == {"image": "linear", "label": "nearest"}
