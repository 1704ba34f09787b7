"""Whether the largest subject fits into memory, with a pretended amount of it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.inference.tiny import CLASSES
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.errors import DataError, ResourceError
from vesalia.inference.evaluate import evaluate
from vesalia.inference.infer import infer
from vesalia.inference.room import require_room
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.memory import Streamed
from vesalia.inference.streaming.prediction import BUFFER_BYTES
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan
from vesalia.pipelines.datalist import DataItem
from vesalia.registry.registry import find

VOXELS = 12 * 10 * 8  # at 1 x 2 x 1.5 mm
NEED = 4 * VOXELS * (1 + len(CLASSES))


def step(name: str, **args: Any) -> ComponentPlan:
    target = find("transform", name)
    assert target is not None
    return ComponentPlan("transform", name, name, target, args, "pre_transforms")


SCALE = step("ScaleByResolution", fields="image", target_resolution=(0.5, 2.0, 1.5))
RESTORE = step("RestoreOriginalShape", field="model", src_field="image")
DECIDE = step("ArgmaxAcrossChannels", fields="model")


def pretend(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr("vesalia.inference.room.available_memory_bytes", lambda: free_bytes)


def items(plan: EvaluatePlan, *, count: int = 3) -> list[DataItem]:
    return [
        DataItem(f"case_{index}", {"image": (plan.data_root / "image" / f"case_{index}.nii.gz",)}, {})
        for index in range(count)
    ]


@pytest.mark.parametrize(
    ("pre", "post", "need"),
    [
        ([], [DECIDE], NEED),
        ([SCALE], [DECIDE], 2 * NEED),
        ([SCALE], [RESTORE, DECIDE], 2 * NEED + 4 * VOXELS * len(CLASSES)),
        ([SCALE], [DECIDE, RESTORE], 2 * NEED),
        ([], [RESTORE, DECIDE], NEED),
    ],
)
def test_one_byte_decides(
    plan: EvaluatePlan,
    monkeypatch: pytest.MonkeyPatch,
    pre: list[ComponentPlan],
    post: list[ComponentPlan],
    need: int,
) -> None:
    plan = replace(plan, pre_transforms=(*plan.pre_transforms, *pre), post_transforms=tuple(post))
    pretend(monkeypatch, need)
    require_room(plan, items(plan), classes=len(CLASSES))
    pretend(monkeypatch, need - 1)
    with pytest.raises(ResourceError):
        require_room(plan, items(plan), classes=len(CLASSES))


def test_what_is_said(plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 1_500_000_000)
    with pytest.raises(ResourceError) as caught:
        require_room(plan, items(plan, count=1), classes=1_000_000)
    assert str(caught.value) == (
        "case_0: found a need of at least 3.8 GB of memory (12 x 10 x 8 voxels, 1000000 classes), expected at most the "
        "1.5 GB that are free; write a coarser target_resolution, close other programs, or leave the subject out"
    )


def test_what_no_header_says_is_not_judged(plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, 1)
    require_room(plan, [], classes=3)
    require_room(replace(plan, pre_transforms=plan.pre_transforms[1:]), items(plan), classes=3)
    (plan.data_root / "image" / "case_0.nii.gz").write_bytes(b"no image")
    require_room(plan, items(plan, count=1), classes=3)


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("run", [infer, evaluate])
def test_no_subject_is_begun(plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    pretend(monkeypatch, 2 * 4 * VOXELS)
    told: list[str] = []
    with pytest.raises(ResourceError, match="found a need of at least"):
        run(plan, progress=lambda *now: told.append(now[-1]))
    assert told == []


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("run", [infer, evaluate])
def test_files_that_are_missing_are_told_before_any_subject(plan: EvaluatePlan, run: Any) -> None:
    for index in (1, 2):
        (plan.data_root / "image" / f"case_{index}.nii.gz").unlink()
    told: list[str] = []
    with pytest.raises(DataError) as caught:
        run(plan, progress=lambda *now: told.append(now[-1]))
    assert [Path(fault.found).name for fault in caught.value.faults] == ["case_1.nii.gz", "case_2.nii.gz"]
    assert told == []


def test_windows_that_are_decided_as_they_come_need_no_volume_per_class(
    plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed = Streamed(TFScanWindowInferer([8, 8, 8]), StreamedChain(None, None, ()), 1, 1000)
    pretend(monkeypatch, 10**9)
    room = require_room(plan, items(plan), classes=3, streamed=streamed)
    assert room is not None
    assert (room.subject, room.windows, room.result_bytes, room.image_bytes) == ("case_0", 4, VOXELS, 8 * VOXELS)
    many = require_room(plan, items(plan), classes=10**6, streamed=streamed)
    assert many is not None
    assert many.waiting_bytes == BUFFER_BYTES
    assert many.file_bytes > 0
    assert many.least_bytes == 9 * VOXELS + BUFFER_BYTES
    masks = replace(streamed, chain=StreamedChain(0.5, "image", ()))
    found = require_room(plan, items(plan), classes=3, streamed=masks)
    assert found is not None
    assert found.result_bytes == 3 * VOXELS
