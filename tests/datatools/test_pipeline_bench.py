"""A bench trains a few steps of an archive's own plan, leaves the archive alone, and accounts for the time."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.datatools.plans import with_pipeline
from tests.tiny_archive import read_config, write_config
from vesalia.datatools import pipeline_bench
from vesalia.datatools.pipeline_bench import PipelineBench, bench_pipeline
from vesalia.errors import DataError
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_training

CROP = "CropFixedSizeRandomCenter + RandomSpatialFlip + ScaleShiftIntensity"


def bench(archive: Path, **args: Any) -> PipelineBench:
    return bench_pipeline(with_pipeline(plan_training(archive), **args), steps=3, device="cpu")


def with_cache(archive: Path, **args: Any) -> TrainPlan:
    config = read_config(archive)
    pipeline = config["train"]["image_pipeline"]
    pipeline["name"] = "SegmentationImagePipelineWithCache"
    pipeline["args"] |= {"num_cache_objects": 4, "replace_percent": 0.0, **args}
    write_config(archive, config)
    return plan_training(archive)


def test_without_a_cache_all_is_done_in_every_step(archive: Path) -> None:
    before = set(archive.rglob("*"))
    found = bench(archive)
    assert list(found.costs.prefix) == ["LoadNifti", "ConvertToChannelsFirst", "ScaleIntensityRange", "check and keep"]
    assert set(found.costs.augment) == {CROP, "other"}
    assert set(found.costs.network) >= {"transfer", "forward", "backward", "update"}
    assert min(*found.costs.prefix.values(), *found.costs.network.values(), found.costs.batch) > 0
    assert (found.setting.items, found.setting.cached, found.setting.items_per_step) == (4, 0, 2)
    assert (found.costs.steps, found.costs.lookup) == (3, 0.0)
    assert found.costs.step > found.costs.waiting > 0
    assert set(archive.rglob("*")) == before


def test_with_a_cache_the_fixed_part_is_measured_while_it_fills(archive: Path) -> None:
    told: list[tuple[int, int]] = []
    plan = with_cache(archive)
    found = bench_pipeline(plan, steps=2, device="cpu", progress=lambda done, total: told.append((done, total)))
    assert found.costs.prefix["LoadNifti"] > 0
    assert found.costs.lookup > 0
    assert (found.setting.cached, found.setting.replaced, found.setting.steps_per_epoch) == (4, 0, 2)
    assert found.costs.item_bytes == 16**3 * 5  # float32 and uint8
    assert told[-1][0] == told[-1][1]
    assert json.loads(json.dumps(found.to_dict()))["archive"] == "archive"


def test_a_moving_cache_is_told_and_stands_still_meanwhile(archive: Path) -> None:
    found = bench_pipeline(with_cache(archive, num_cache_objects=2, replace_percent=0.5), steps=2, device="cpu")
    assert (found.setting.cached, found.setting.replaced) == (2, 1)


def test_without_workers_one_pass_is_enough(archive: Path) -> None:
    found = bench(archive, num_workers=0)
    assert found.setting.workers == 0
    assert found.costs.waiting > 2 * found.costs.prefix_s


def test_a_short_list_fills_a_large_batch(archive: Path) -> None:
    assert bench(archive, output_batch_size=6).setting.items_per_step == 6


def test_a_chain_of_dice_alone_keeps_nothing(archive: Path) -> None:
    plan = plan_training(archive)
    assert pipeline_bench._item_bytes(replace(plan, pre_transforms=plan.pre_transforms[3:])) == 0


def test_a_slow_training_is_not_measured_for_ever(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_bench, "_LONGEST_S", 0.0)
    assert bench(archive).costs.steps == 2


def test_fixed_steps_behind_the_dice_are_in_reach(archive: Path) -> None:
    config = read_config(archive)
    chain = config["train"]["pre_transforms"]
    chain.append({"name": "NormalizeNonzeroIntensities", "args": {"fields": "image"}})
    write_config(archive, config)
    assert set(bench(archive).setting.in_reach) == {"NormalizeNonzeroIntensities"}


def test_a_file_that_cannot_be_read_is_told(archive: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.nii.gz"
    torn.write_bytes(b"no gzip")
    (tmp_path / "list.json").write_text(json.dumps({"training": [{"image": str(torn), "label": str(torn)}]}))
    with pytest.raises(DataError, match=r"torn\.nii\.gz"):
        bench(archive, data_list_file_path=str(tmp_path / "list.json"))
