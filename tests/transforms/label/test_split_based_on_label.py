"""SplitBasedOnLabel: one mask per class, absent classes included."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.testing.transforms import example_sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.label.split_based_on_label import SplitBasedOnLabel


def test_one_mask_per_class() -> None:
    sample = example_sample((6, 5, 4))
    done = SplitBasedOnLabel("label", label_names=["a", "b", "c"]).apply(sample, NOTHING)
    for value, name in enumerate("abc"):
        assert torch.equal(done[name].data.bool(), sample["label"].data == value)
        assert done[name].data.dtype == torch.uint8
        assert done[name].affine is sample["label"].affine
    assert done["label"] is sample["label"]


def test_an_absent_class_is_all_zero() -> None:
    done = SplitBasedOnLabel("label", label_names=["a", "b", "c", "d"]).apply(example_sample((6, 5)), NOTHING)
    assert not done["d"].data.any()


def test_probabilities_are_refused() -> None:
    with pytest.raises(DataError, match=r"'image' with 2 channels.*put ArgmaxAcrossChannels before"):
        SplitBasedOnLabel("image", label_names=["a"]).apply(example_sample((6, 5)), NOTHING)


@pytest.mark.parametrize("names", [[], ["a", "a"]])
def test_names_that_are_none(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="label_names: found"):
        SplitBasedOnLabel("label", label_names=names)


def test_names_its_field() -> None:
    assert SplitBasedOnLabel("label", label_names=["a"]).fields == ("label",)
