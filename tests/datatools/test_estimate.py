"""Memory and disk: figures that follow from the config, and faults where a machine is too small."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.datatools.plans import with_pipeline
from vesalia.datatools import estimate as module
from vesalia.datatools.data_use import DataUse, uses_of
from vesalia.datatools.estimate import Estimate, estimate, estimate_faults
from vesalia.datatools.subject_check import SubjectFindings
from vesalia.inference.streaming.prediction import BUFFER_BYTES
from vesalia.mmar.plan import EvaluatePlan, TrainPlan

SUBJECT = SubjectFindings(stored_voxels=1000, resampled_shape=(100, 100, 50), channels=1, files=2)
ITEM = 500_000 * (4 + 1)
WHOLE = 500_000 * (2 + 1)
GIGABYTE = 1_000_000_000


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a GPU, with 8 GB of memory and 50 GB of disk."""
    monkeypatch.setattr(module, "available_memory_bytes", lambda: 8 * GIGABYTE)
    monkeypatch.setattr(module, "free_disk_bytes", lambda _: 50 * GIGABYTE)
    monkeypatch.setattr(module, "_GPU_DRIVER", Path("/nowhere"))


def found(plan: TrainPlan | EvaluatePlan, subjects: int = 4) -> Mapping[str, tuple[DataUse, list[SubjectFindings]]]:
    return {use.where: (use, [SUBJECT] * subjects) for use in uses_of(plan)}


def test_caches_of_training_and_validation_add_up(training: TrainPlan) -> None:
    needs = estimate(training, found(training))
    assert needs.cached_items == 4 + 2
    assert needs.cached_item == ITEM
    assert needs.cache == 6 * ITEM


@pytest.mark.parametrize(
    ("given", "item"),
    [
        ({}, WHOLE),
        ({"cache_dtype": "float32"}, ITEM),
        ({"cache_dtype": "float16"}, WHOLE),
        ({"whole_bytes": 0}, ITEM),
        ({"whole_bytes": 1}, 500_000 * 2),
        ({"stored_voxels": 400_000}, ITEM),
        ({"next": "RandomSpatialFlip"}, WHOLE),
        ({"next": "RandomGaussianSmooth"}, ITEM),
    ],
)
def test_whole_numbers_take_fewer_bytes(training: TrainPlan, given: dict[str, Any], item: int) -> None:
    values = dict(given)
    steps = [step for step in training.pre_transforms if step.name in {"LoadNifti", "ConvertToChannelsFirst"}]
    following = [replace(steps[0], name=values.pop("next"))] if "next" in values else []
    kind = values.pop("cache_dtype", "auto")
    plan = replace(training, validate=None, pre_transforms=(*steps, *following))
    plan = with_pipeline(plan, cache_dtype=kind)
    subject = replace(SUBJECT, **{"stored_voxels": 500_000, "whole_bytes": 2, **values})
    needs = estimate(plan, {use.where: (use, [subject]) for use in uses_of(plan)})
    assert needs.cached_item == item


def test_a_budget_is_never_exceeded(training: TrainPlan) -> None:
    plan = replace(with_pipeline(training, cache_budget_gb=2.5 * ITEM / 1e9), validate=None)
    needs = estimate(plan, found(plan))
    assert (needs.cached_items, needs.cache) == (2, 2 * ITEM)


def test_no_more_is_cached_than_listed(training: TrainPlan) -> None:
    needs = estimate(training, found(training, subjects=1))
    assert needs.cached_items == 2


def test_copies_of_a_list_are_cached_one_by_one(training: TrainPlan) -> None:
    plan = with_pipeline(training, duplicate_count=3, num_cache_objects=100)
    assert estimate(plan, found(plan, subjects=2)).cached_items == 6 + 2


def test_a_plain_pipeline_caches_nothing(training: TrainPlan) -> None:
    plain = {name: value for name, value in training.image_pipeline.args.items() if name != "num_cache_objects"}
    plan = replace(training, validate=None, image_pipeline=replace(training.image_pipeline, args=plain))
    needs = estimate(plan, found(plan))
    assert (needs.cache, needs.cached_items, needs.cached_item) == (0, 0, 0)


def test_a_larger_batch_takes_more(training: TrainPlan) -> None:
    one = estimate(with_pipeline(training, output_batch_size=1), found(training))
    four = estimate(with_pipeline(training, output_batch_size=4), found(training))
    assert four.step == 4 * one.step
    assert four.batches > one.batches


def test_a_batch_made_by_the_crop_ignores_the_pipelines_size(training: TrainPlan) -> None:
    plan = with_pipeline(training, batched_by_transforms=True, output_batch_size=40)
    assert estimate(plan, found(plan)).step == estimate(with_pipeline(training, output_batch_size=1), found(plan)).step


def test_without_a_crop_the_declared_size_counts_and_then_the_subjects_own(training: TrainPlan) -> None:
    steps = tuple(step for step in training.pre_transforms if "Crop" not in step.name)
    declared = replace(
        with_pipeline(training, output_crop_size=(50, 50, 50), output_batch_size=1), pre_transforms=steps
    )
    free = with_pipeline(declared, output_crop_size=(-1, -1, -1))
    ratio = estimate(free, found(free)).step / estimate(declared, found(declared)).step
    assert ratio == pytest.approx(500_000 / 125_000)


def test_a_gpu_takes_the_step_off_the_memory(
    training: TrainPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert estimate(training, found(training)).step > 0
    monkeypatch.setattr(module, "_GPU_DRIVER", tmp_path)
    assert estimate(training, found(training)).step == 0


def kept(plan: EvaluatePlan) -> EvaluatePlan:
    """As if probabilities were needed as a whole."""
    return replace(plan, inferer=replace(plan.inferer, name="TFSimpleInferer"))


def test_windows_that_are_decided_as_they_come_need_no_volume_per_class(evaluation: EvaluatePlan) -> None:
    assert estimate(evaluation, found(evaluation)).step == 500_000 * (2 * 4 + 1) + 4 * 3 * 500_000
    (metric,) = (m for m in evaluation.val_metrics if m.name == "ComputeAverageDice" and "num_classes" in m.args)
    many = replace(metric, args={**metric.args, "num_classes": 1000})
    plan = replace(evaluation, val_metrics=(many,), model_loader=None, checkpoint_dir=Path("/nowhere"))
    assert estimate(plan, found(plan)).step == 500_000 * (2 * 4 + 1) + BUFFER_BYTES
    assert estimate_faults(plan, estimate(plan, found(plan))) == ([], [])


def test_masks_take_a_volume_per_class(evaluation: EvaluatePlan) -> None:
    (decide,) = (step for step in evaluation.post_transforms if step.name == "ArgmaxAcrossChannels")
    steps = [replace(step, name="ThresholdValues") if step is decide else step for step in evaluation.post_transforms]
    masks = replace(evaluation, post_transforms=tuple(steps))
    needs = [estimate(plan, found(plan)).step for plan in (evaluation, masks)]
    assert needs[1] - needs[0] == 500_000 * 2


def test_a_validation_keeps_every_class_of_its_largest_subject(
    training: TrainPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes = int({**training.model.defaults, **training.model.args}["num_classes"])
    assert estimate(training, found(training)).judging == 4 * 500_000 * (1 + classes)
    assert estimate(replace(training, validate=None), found(replace(training, validate=None))).judging == 0
    monkeypatch.setattr(module, "_GPU_DRIVER", Path(__file__))
    assert estimate(training, found(training)).judging == 0


def test_a_validation_that_does_not_fit_is_a_fault(training: TrainPlan) -> None:
    needs = replace(NEEDS, judging=5 * GIGABYTE)
    faults, _ = estimate_faults(training, needs)
    assert [fault.key for fault in faults] == ["validate"]
    assert "about 9.0 GB of memory" in faults[0].found
    assert estimate_faults(training, replace(needs, judging=4 * GIGABYTE)) == ([], [])


def test_an_evaluation_needs_room_for_its_largest_subject_and_its_results(evaluation: EvaluatePlan) -> None:
    needs = estimate(kept(evaluation), found(evaluation))
    assert needs.cache == 0
    assert needs.step == 4 * 500_000 * (1 + 3 * 3)
    assert needs.disk_folder == str(evaluation.output_dir)
    silent = replace(kept(evaluation), output_infer_result=False)
    assert estimate(silent, found(silent)).disk == needs.disk - 4 * 1000 // 10


def classes_of(plan: EvaluatePlan) -> float:
    """How many class channels an estimate counts with."""
    return (estimate(kept(plan), found(plan)).step / (4 * 500_000) - 1) / 3


def test_classes_are_those_of_the_weights_or_of_the_config(evaluation: EvaluatePlan, tmp_path: Path) -> None:
    plain = replace(evaluation, post_transforms=(), val_metrics=(), model_loader=None, checkpoint_dir=tmp_path)
    assert classes_of(plain) == 2
    (metric,) = (m for m in evaluation.val_metrics if m.name == "ComputeAverageDice" and "num_classes" in m.args)
    assert classes_of(replace(plain, val_metrics=(replace(metric, args={**metric.args, "num_classes": 7}),))) == 7
    card = {"format": "vesalia-model", "format_version": 1, "model": {}, "in_channels": 1, "sha256": ""}
    (tmp_path / "model.json").write_text(json.dumps({**card, "class_names": list("abcdefghijk")}))
    assert classes_of(plain) == 11


def test_code_of_the_archive_is_not_run_to_find_the_weights(evaluation: EvaluatePlan) -> None:
    assert evaluation.model_loader is not None
    strange = replace(evaluation.model_loader.target, module="nowhere", origin="custom")
    foreign = replace(evaluation, model_loader=replace(evaluation.model_loader, target=strange))
    assert classes_of(foreign) == 3


def test_subjects_that_could_not_be_read_do_not_count(training: TrainPlan, evaluation: EvaluatePlan) -> None:
    for plan in (training, evaluation):
        nothing = {use.where: (use, [SubjectFindings()]) for use in uses_of(plan)}
        assert estimate(plan, nothing).cache == 0


NEEDS = Estimate(
    cache=3 * GIGABYTE,
    batches=GIGABYTE,
    step=GIGABYTE,
    memory_available=8 * GIGABYTE,
    disk=GIGABYTE,
    disk_available=2 * GIGABYTE,
    disk_folder="/models",
    cached_items=30,
    cached_item=GIGABYTE // 10,
)


def test_enough_is_enough(training: TrainPlan) -> None:
    assert estimate_faults(training, NEEDS) == ([], [])


def test_a_cache_that_does_not_fit(training: TrainPlan) -> None:
    faults, _ = estimate_faults(training, replace(NEEDS, memory_available=2 * GIGABYTE))
    assert str(faults[0]) == (
        "config_train.json: train.image_pipeline.args.num_cache_objects: found 30 cached subjects of 100 MB, 3.0 GB "
        "together, expected at most the 2.0 GB that are free; write num_cache_objects of 13 in all and "
        "replace_percent: 0.2, a coarser target_resolution, or cache_budget_gb: what it may take"
    )


def test_what_surely_does_not_fit_is_a_fault_and_what_may_not_is_a_warning(training: TrainPlan) -> None:
    faults, warnings = estimate_faults(training, replace(NEEDS, memory_available=4 * GIGABYTE))
    assert (len(faults), len(warnings)) == (1, 0)
    assert "about 5.0 GB of memory" in faults[0].found
    faults, warnings = estimate_faults(training, replace(NEEDS, memory_available=int(4.6 * GIGABYTE)))
    assert (len(faults), len(warnings)) == (0, 1)


def test_an_evaluation_has_no_crop_to_make_smaller(evaluation: EvaluatePlan) -> None:
    faults, _ = estimate_faults(evaluation, replace(NEEDS, memory_available=4 * GIGABYTE))
    assert (faults[0].file, faults[0].key) == ("config_validation.json", "inferer")


@pytest.mark.parametrize(
    ("which", "variable"), [("training", "MMAR_CKPT_DIR"), ("evaluation", "MMAR_EVAL_OUTPUT_PATH")]
)
def test_a_full_disk(which: str, variable: str, training: TrainPlan, evaluation: EvaluatePlan) -> None:
    plan = training if which == "training" else evaluation
    faults, _ = estimate_faults(plan, replace(NEEDS, disk_available=1000))
    assert faults[0].file == "/models"
    assert "found 1 kB free, about 1.0 GB needed" in str(faults[0])
    assert variable in faults[0].write


def test_it_can_be_written_as_json() -> None:
    data = json.loads(json.dumps(NEEDS.to_dict()))
    assert data["memory_bytes"] == 5 * GIGABYTE
    assert data["disk_folder"] == "/models"
    assert data["cached_items"] == 30
