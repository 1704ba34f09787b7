"""How long a step takes that is made of measured parts: counted by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from tests.datatools.pipeline_figures import costs, setting
from vesalia.datatools.pipeline_costs import group_of, in_step_s, step_s, work_s


def test_sums() -> None:
    found = costs()
    assert (found.prefix_s, found.augment_s, found.network_s) == pytest.approx((1.0, 0.1, 1.0))
    assert found.waiting_share == pytest.approx(1 / 3)
    assert costs(step=0.0).waiting_share == 0.0


def test_without_a_cache_every_item_is_prepared_in_every_step() -> None:
    assert work_s(costs(), setting()) == pytest.approx(4 * 1.0 + 4 * 0.1 + 0.1)


def test_a_cache_leaves_what_is_replaced() -> None:
    moving = setting(cached=20, replaced=2)
    assert moving.steps_per_epoch == 5
    assert in_step_s(costs(lookup=0.01), moving) == pytest.approx(4 * 0.01 + 2 * 1.0 / 5)
    assert in_step_s(costs(), setting(cached=20)) == 0.0


def test_what_does_not_fit_is_made_each_time() -> None:
    assert in_step_s(costs(), setting(cached=40, held=30)) == pytest.approx(4 * 0.25 * 1.0)


@pytest.mark.parametrize(
    ("workers", "on_gpu", "expected"),
    [
        (0, True, 1.0 + 4.5),
        (2, True, 4.5 / 2),
        (8, True, 4.5 / 4),
        (2, False, 4.5 / 2),
        (4, False, 1.0 + 4.5 / 4),
    ],
)
def test_a_step_is_as_long_as_its_slower_side(workers: int, on_gpu: bool, expected: float) -> None:
    assert step_s(costs(), setting(workers=workers, on_gpu=on_gpu)) == pytest.approx(expected)


def test_groups() -> None:
    found = [group_of(name) for name in ("LoadNifti", "LoadPng", "ScaleByResolution", "Spacingd", "CenterData")]
    assert found == ["decode", "decode", "resample", "resample", "other fixed steps"]


def test_both_are_plain_data() -> None:
    assert json.loads(json.dumps(costs().to_dict()))["waiting_share"] == pytest.approx(1 / 3)
    assert json.loads(json.dumps(setting().to_dict()))["steps_per_epoch"] == 10
