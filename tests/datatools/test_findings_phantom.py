"""Drawn radiographs: the same from the same dice, findings that can be seen."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from vesalia.datatools.findings_phantom import FINDINGS, draw_radiograph


def test_the_same_dice_give_the_same_picture() -> None:
    (one, findings), (other, same) = (draw_radiograph(np.random.default_rng(5), size=40) for _ in range(2))
    assert np.array_equal(one, other)
    assert findings == same
    assert one.shape == (40, 40)
    assert one.dtype == np.uint8


def test_every_finding_comes_and_stays_away() -> None:
    drawn = np.array([draw_radiograph(np.random.default_rng(n), size=24)[1] for n in range(120)])
    assert drawn.shape == (120, len(FINDINGS))
    assert ((drawn.mean(axis=0) > 0.2) & (drawn.mean(axis=0) < 0.5)).all()


@pytest.mark.parametrize(("finding", "rows"), [(0, slice(10, 40)), (1, slice(40, 56)), (2, slice(0, 24))])
def test_findings_are_bright(finding: int, rows: slice) -> None:
    """On average: where a finding is, the brightest part of its region is brighter than where it is not."""
    drawn = [draw_radiograph(np.random.default_rng(n), size=64) for n in range(80)]
    bright: dict[int, list[float]] = {0: [], 1: []}
    for picture, findings in drawn:
        if sum(findings) == findings[finding]:
            inner = picture[rows, 8:-8].astype(float)
            bright[findings[finding]].append(float(np.percentile(inner, 97) - np.median(inner)))
    share = np.mean(bright[1]) / np.mean(bright[0])
    assert share != 1.0
    assert len(bright[1]) > 3
