"""SplitBasedOnBratsClasses: three fields, in the order TC, WT, ET."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.base import NOTHING
from vesalia.transforms.label.split_based_on_brats_classes import SplitBasedOnBratsClasses


@pytest.mark.parametrize("arguments", [{}, {"label_names": ["a", "b", "c"]}, {"class_names": ["a", "b", "c"]}])
def test_three_fields(arguments: dict[str, list[str]]) -> None:
    split = SplitBasedOnBratsClasses("label", **arguments)  # type: ignore[arg-type]
    done = split.apply(Sample({"label": Volume(torch.tensor([[0, 1, 2, 4]]))}), NOTHING)
    names = next(iter(arguments.values()), ["TC", "WT", "ET"])
    assert [done[name].data.tolist() for name in names] == [[[0, 1, 0, 1]], [[0, 1, 1, 1]], [[0, 0, 0, 1]]]
    assert split.fields == ("label",)


def test_names_must_be_three_and_given_once() -> None:
    with pytest.raises(ConfigError, match="label_names: found 2 names, expected 3"):
        SplitBasedOnBratsClasses("label", label_names=["a", "b"])
    with pytest.raises(ConfigError, match="class_names: found label_names besides"):
        SplitBasedOnBratsClasses("label", label_names=["a", "b", "c"], class_names=["a", "b", "c"])
