"""The sizes that a config's steps make."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vesalia.imaging.geometry import Grid
from vesalia.inference.sizes import decides_by_windows, resampled_shape
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.registry import find


def step(name: str, **args: Any) -> ComponentPlan:
    target = find("transform", name)
    assert target is not None
    return ComponentPlan("transform", name, name, target, args, "pre_transforms")


@pytest.mark.parametrize(
    ("steps", "shape"),
    [
        ([], (10, 20, 30)),
        ([step("ScaleByResolution", fields="image", target_resolution=(2.0, 1.0, 1.0))], (5, 20, 60)),
        ([step("ScaleByResolution", fields=("label", "image"), target_resolution=(2.0,))], (5, 10, 30)),
        ([step("ScaleByResolution", fields="label", target_resolution=(2.0, 1.0, 1.0))], (10, 20, 30)),
        ([step("ScaleByResolution", fields="image", target_resolution=(100.0, 100.0, 100.0))], (1, 1, 1)),
    ],
)
def test_the_shape_after_resampling(steps: list[ComponentPlan], shape: tuple[int, ...]) -> None:
    assert resampled_shape(steps, Grid((10, 20, 30), np.diag([1.0, 1.0, 2.0, 1.0]))) == shape


RESTORE, DECIDE, COPY = "RestoreOriginalShape", "ArgmaxAcrossChannels", "CopyProperties"


@pytest.mark.parametrize(
    ("inferer", "steps", "expected"),
    [
        ("TFScanWindowInferer", [DECIDE], True),
        ("TFScanWindowInferer", ["ThresholdValues"], True),
        ("TFScanWindowInferer", [RESTORE, COPY, DECIDE, RESTORE], True),
        ("TFScanWindowInferer", [RESTORE, RESTORE, DECIDE], False),
        ("TFScanWindowInferer", ["SplitBasedOnLabel", DECIDE], False),
        ("TFScanWindowInferer", [RESTORE], False),
        ("TFScanWindowInferer", [], False),
        ("TFSimpleInferer", [DECIDE], False),
    ],
)
def test_whether_windows_are_decided_as_they_come(inferer: str, steps: list[str], expected: bool) -> None:
    target = find("inferer", inferer)
    assert target is not None
    named = ComponentPlan("inferer", inferer, inferer, target, {}, "inferer")
    assert decides_by_windows(named, [step(name) for name in steps]) is expected
