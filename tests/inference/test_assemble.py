"""From a plan to objects: what is asked for is built, and the weights are found by any of their names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.inference.tiny import save_unet
from vesalia.errors import CheckpointError, ConfigError
from vesalia.imaging.volume import Sample
from vesalia.inference.assemble import InferenceOptions, assemble, weights_prefix
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan
from vesalia.mmar.validate import plan_evaluation
from vesalia.registry.registry import find


@pytest.mark.usefixtures("echo")
def test_only_what_is_asked_for_is_built(root: Path) -> None:
    both = assemble(plan_evaluation(root, do_validation=True, output_infer_result=True))
    assert (len(both.metrics), len(both.writers), len(both.label.transforms)) == (1, 1, 2)
    infer = assemble(plan_evaluation(root, do_validation=False, output_infer_result=True))
    assert (len(infer.metrics), len(infer.writers), len(infer.label.transforms)) == (0, 1, 0)
    judge = assemble(plan_evaluation(root, do_validation=True, output_infer_result=False))
    assert (len(judge.metrics), len(judge.writers)) == (1, 0)


def test_real_weights_are_read(root: Path, plan: EvaluatePlan) -> None:
    save_unet(root, root / "models" / "model")
    objects = assemble(plan)
    assert objects.loaded.prefix == root / "models" / "model"
    files = {"image": (plan.data_root / "image" / "case_0.nii.gz",)}
    predicted = objects.predicted(Sample(name="case_0", files=files))["model"]
    assert predicted.data.shape == (3, 12, 10, 8)


def test_missing_weights(plan: EvaluatePlan) -> None:
    with pytest.raises(CheckpointError, match="found no weights"):
        assemble(plan)


def test_other_weights(root: Path, plan: EvaluatePlan) -> None:
    save_unet(root, root / "models" / "model_final")
    options = InferenceOptions(weights=root / "models" / "model_final.ckpt")
    assert assemble(plan, options).loaded.prefix == root / "models" / "model_final"


def test_where_a_plan_has_its_weights(root: Path, plan: EvaluatePlan) -> None:
    assert weights_prefix(plan, Builder(plan.archive)) == root / "models" / "model"
    assert weights_prefix(replace(plan, model_loader=None), Builder(plan.archive)) == root / "models" / "model"
    target = find("model_loader", "FrozenGraphModelLoader")
    assert target is not None
    args = {"model_file_path": "models/other.trt.pb"}
    frozen = ComponentPlan("model_loader", "FrozenGraphModelLoader", "F", target, args, "model_loader")
    assert weights_prefix(replace(plan, model_loader=frozen), Builder(plan.archive)) == root / "models" / "other"


@pytest.mark.usefixtures("echo")
def test_two_metrics_of_one_name_are_refused(plan: EvaluatePlan) -> None:
    (metric,) = plan.val_metrics
    twins = (metric, replace(metric, where="val_metrics[1]"))
    with pytest.raises(
        ConfigError, match=r"config_validation\.json: val_metrics: found the name 'dice' more than once"
    ):
        assemble(replace(plan, val_metrics=twins))


@pytest.mark.parametrize("first", ["ArgmaxAcrossChannels", "ThresholdValues"])
@pytest.mark.usefixtures("echo")
def test_decided_by_windows_or_as_a_whole_is_the_same(
    plan: EvaluatePlan, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = find("transform", first)
    assert target is not None
    step = ComponentPlan("transform", first, first, target, {"fields": "model"}, "post_transforms")
    objects = assemble(replace(plan, post_transforms=(step,)))
    start = Sample(name="case_0", files={"image": (plan.data_root / "image" / "case_0.nii.gz",)})
    predicted, finished = objects.through(start)
    assert predicted["model"].data.dtype == torch.uint8
    monkeypatch.setattr("vesalia.inference.assemble.streamed_chain", lambda _: None)
    whole, expected = objects.through(start)
    assert whole["model"].data.dtype == torch.float32
    assert torch.equal(finished["model"].data, expected["model"].data)
    assert finished["model"].data.dtype == expected["model"].data.dtype


@pytest.mark.usefixtures("echo")
def test_how_windows_are_decided_is_known_beforehand(plan: EvaluatePlan) -> None:
    streamed = assemble(plan).streamed()
    assert streamed is not None
    assert streamed.windows((12, 10, 8)).window == (8, 8, 8)
    assert assemble(replace(plan, post_transforms=())).streamed() is None
