"""DiceMaskedOutput: mean and classes, absent ones left out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from vesalia.components.aux_ops.dice_masked_output import DiceMaskedOutput
from vesalia.errors import ConfigError


def values(op: DiceMaskedOutput, predicted: list[list[int]], wanted: list[list[int]]) -> dict[str, float]:
    onehot = torch.nn.functional.one_hot(torch.tensor(predicted), 3).movedim(-1, 1).float()
    found = op(probabilities=onehot, target=torch.tensor(wanted)[:, None], loss=torch.zeros(()))
    return {tag: value.item() for tag, value in found.items()}


def test_one_tag_is_the_mean() -> None:
    op = DiceMaskedOutput(["dice"], skip_background=True)
    assert op.tags() == ("dice",)
    assert values(op, [[0, 1, 1, 2]], [[0, 1, 0, 0]]) == {"dice": pytest.approx(2 / 3)}


def test_further_tags_are_the_classes() -> None:
    op = DiceMaskedOutput("mean, one, two", skip_background=True)
    found = values(op, [[0, 1, 1, 2], [0, 1, 2, 2]], [[0, 1, 0, 0], [0, 0, 2, 2]])
    assert found == {"mean": pytest.approx((2 / 3 + 1) / 2), "one": pytest.approx(2 / 3), "two": pytest.approx(1.0)}


def test_background_has_its_tag_too_unless_skipped() -> None:
    op = DiceMaskedOutput(["mean", "background", "one", "two"])
    found = values(op, [[0, 1, 1]], [[0, 1, 1]])
    assert found == pytest.approx({"mean": 1.0, "background": 1.0, "one": 1.0, "two": math.nan}, nan_ok=True)


def test_nothing_left_is_nan() -> None:
    assert math.isnan(values(DiceMaskedOutput(["dice"], skip_background=True), [[0, 1]], [[0, 0]])["dice"])


@pytest.mark.parametrize("tags", [[], ["dice", "dice"]])
def test_tags_must_be_names(tags: list[str]) -> None:
    with pytest.raises(ConfigError, match="tags: found"):
        DiceMaskedOutput(tags)


def test_tags_must_fit_the_classes() -> None:
    with pytest.raises(ConfigError, match=r'tags: found 2, expected 1 .* or 4 .*; write \["mean"\] or'):
        values(DiceMaskedOutput(["mean", "one"]), [[0]], [[0]])
