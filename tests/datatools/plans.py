"""Plans over small data sets, through the real config check."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.datatools.datasets import decathlon
from vesalia.datatools.new_archive import new_archive
from vesalia.mmar.plan import EvaluatePlan, TrainPlan
from vesalia.mmar.validate import plan_evaluation, plan_training

__all__ = ["evaluation_of", "made", "training_of", "with_pipeline"]


def made(folder: Path, data: Path | None = None) -> Path:
    """A new archive below ``folder`` for ``data``, or for a small Decathlon data set made beside it."""
    return new_archive(folder / "archive", data=data or decathlon(folder / "data"))


def training_of(archive: Path, *settings: str) -> TrainPlan:
    """The archive's training plan."""
    return plan_training(archive, overrides=settings)


def evaluation_of(archive: Path, *settings: str) -> EvaluatePlan:
    """The archive's evaluation plan, judging and writing."""
    return plan_evaluation(archive, overrides=settings, do_validation=True, output_infer_result=True)


def with_pipeline(plan: TrainPlan, **args: object) -> TrainPlan:
    """The plan with other arguments of its training pipeline."""
    return replace(plan, image_pipeline=replace(plan.image_pipeline, args={**plan.image_pipeline.args, **args}))
