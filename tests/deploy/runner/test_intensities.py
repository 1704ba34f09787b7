"""Steps that change intensities give what the components of their names give."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import as_arrays, check, volumes
from vesalia.deploy.runner.intensities import CenterData, ScaleIntensityRange
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume

ROUNDING = 2e-5


RANGES = st.fixed_dictionaries(
    {
        "a_min": st.floats(-20, 0),
        "a_offset": st.floats(1, 40),
        "b_min": st.just(-1.0),
        "b_max": st.just(3.0),
        "clip": st.booleans(),
        "dtype": st.sampled_from(["float16", "float32", "float64"]),
    }
)


@given(volumes(), RANGES)
def test_ranges(volume: Volume, args: dict[str, Any]) -> None:
    sample = Sample({"image": volume})
    check("ScaleIntensityRange", {"fields": "image", **args}, sample)
    upper = args.pop("a_offset")
    check("ScaleIntensityRange", {"fields": "image", "a_max": args["a_min"] + upper, **args}, sample)


@given(volumes())
def test_voxels_that_are_not_zero(volume: Volume) -> None:
    check("NormalizeNonzeroIntensities", {"fields": "image"}, Sample({"image": volume}), atol=ROUNDING)


def test_a_channel_of_one_value_and_an_empty_one() -> None:
    data = torch.stack([torch.full((3, 3, 3), 7.0), torch.zeros(3, 3, 3)])
    check("NormalizeNonzeroIntensities", {"fields": "image"}, Sample({"image": Volume(data, np.eye(4), "first")}))
    check("CenterData", {"fields": "image"}, Sample({"image": Volume(data, np.eye(4), "first")}))


@given(volumes(), st.sampled_from([None, 2.0, [3.0]]), st.sampled_from([None, 2.5, [4.0]]))
def test_centring(volume: Volume, subtrahend: Any, divisor: Any) -> None:
    args = {"fields": ["image"], "subtrahend": subtrahend, "divisor": divisor}
    check("CenterData", args, Sample({"image": volume}), atol=ROUNDING)


def test_a_number_per_channel() -> None:
    volume = Volume(torch.rand(2, 3, 4), np.eye(4), "first")
    args = {"fields": "image", "subtrahend": [1.0, 2.0], "divisor": [2.0, 4.0]}
    check("CenterData", args, Sample({"image": volume}))
    with pytest.raises(ConfigError, match="found 3 numbers for 2 channels"):
        CenterData("image", (1.0, 2.0, 3.0))(as_arrays(Sample({"image": volume})))


def test_a_range_needs_two_ends() -> None:
    with pytest.raises(ConfigError, match="found neither a_max nor a_offset"):
        ScaleIntensityRange("image", 0.0)(as_arrays(Sample({"image": Volume(torch.zeros(2, 2))})))
