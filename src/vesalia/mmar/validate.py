"""A config checked as a whole: every fault is told at once, or a plan is given."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from vesalia.errors import ConfigError, VesaliaError
from vesalia.mmar import rules
from vesalia.mmar.evaluation import check_evaluation, read_evaluation
from vesalia.mmar.plan import EvaluatePlan, TrainPlan, ValidatePlan
from vesalia.mmar.recorded import Recorded
from vesalia.mmar.sections import (
    ValidateSection,
    check_train,
    check_validate,
    read_determinism,
    read_train,
    read_validate,
)
from vesalia.mmar.settings import EVALUATE_SECTIONS, EVALUATE_SETTINGS, TRAIN_SECTIONS, TRAIN_SETTINGS
from vesalia.mmar.workspace import Request, open_workspace
from vesalia.runtime.jsonfile import read_json

__all__ = ["is_evaluation", "plan_evaluation", "plan_training"]

Part = TypeVar("Part")


def plan_training(
    root: str | Path,
    *,
    config: str | Path = "config/config_train.json",
    environment: str | Path = "config/environment.json",
    overrides: Sequence[str] = (),
    allow_custom_code: bool = False,
    recorded: Recorded | None = None,
) -> TrainPlan:
    """Check a training config of an archive.

    Args:
        root: The archive.
        config: The config, relative to the archive.
        environment: The environment, relative to the archive.
        overrides: ``NAME=value`` texts, as after ``--set``.
        allow_custom_code: Whether code in the archive's ``custom`` folder may be run later; it is never run here.
        recorded: What a manifest records; it is planned instead of the files.

    Raises:
        ArchiveError: There is no archive at ``root``.
        CustomCodeRefused: All that is wrong is that the archive brings code and it was not allowed.
        ConfigError: With every fault of the texts, the components, their rules and the data lists.
    """
    request = Request(root, config, environment, overrides, allow_custom_code, recorded)
    work = open_workspace(request, TRAIN_SECTIONS | TRAIN_SETTINGS.keys())
    settings = {name: work.setting(name, TRAIN_SETTINGS) for name in TRAIN_SETTINGS}
    determinism = read_determinism(work)
    train = read_train(work)
    validate = read_validate(work)
    check_train(work, train)
    if validate is not None:
        check_validate(work, train, validate=validate)
        rules.check_schedule(settings["epochs"], settings["num_training_epoch_per_valid"], findings=work.findings)
    work.finish()
    return TrainPlan(
        archive=work.archive,
        config_file=work.config_file,
        variables=work.values(),
        epochs=settings["epochs"],
        valid_every=settings["num_training_epoch_per_valid"],
        learning_rate=settings["learning_rate"],
        use_amp=settings["use_amp"],
        multi_gpu=settings["multi_gpu"],
        determinism=determinism,
        stop_threshold=settings["stop_threshold"],
        summary_interval=settings["train_summary_recording_interval"],
        checkpoint_dir=_sure(work.path("MMAR_CKPT_DIR")),
        checkpoint=work.path("MMAR_CKPT"),
        loss=_sure(train.loss),
        model=_sure(train.model),
        optimizer=_sure(train.optimizer),
        lr_policy=train.lr_policy,
        aux_ops=train.aux_ops,
        handlers=train.handlers,
        pre_transforms=train.pre_transforms,
        batch_transforms=train.batch_transforms,
        image_pipeline=_sure(train.image_pipeline),
        validate=None if validate is None else _validate_plan(validate),
        raw=work.raw(TRAIN_SETTINGS),
        warnings=work.findings.told(),
        places=work.findings.places,
        batches_per_update=settings["num_batches_per_update"],
        largest_gradient_norm=settings["max_gradient_norm"],
        ema_decay=settings["ema_decay"],
        stop_patience=settings["stop_patience"],
        frozen_parameters=settings["frozen_parameters"],
        trackers=settings["trackers"],
        seconds_between_states=settings["seconds_between_states"],
        kept_states=settings["num_kept_states"],
        sync_batch_norm=settings["sync_batch_norm"],
    )


def _validate_plan(section: ValidateSection) -> ValidatePlan:
    return ValidatePlan(
        pre_transforms=section.pre_transforms,
        image_pipeline=_sure(section.image_pipeline),
        inferer=_sure(section.inferer),
        metrics=section.metrics,
    )


def _sure(part: Part | None) -> Part:
    """What must be there once no fault was found."""
    if part is None:
        message = "a config passed its check with a part missing: this is a mistake in Vesalia, please report it"
        raise VesaliaError(message)
    return part


def plan_evaluation(
    root: str | Path,
    *,
    config: str | Path = "config/config_validation.json",
    environment: str | Path = "config/environment.json",
    overrides: Sequence[str] = (),
    do_validation: bool | None = None,
    output_infer_result: bool | None = None,
    listed: bool = True,
    allow_custom_code: bool = False,
) -> EvaluatePlan:
    """Check an evaluation config of an archive.

    Args:
        root: The archive.
        config: The config, relative to the archive.
        environment: The environment, relative to the archive.
        overrides: ``NAME=value`` texts, as after ``--set``.
        do_validation: Whether to judge; None for what the texts say.
        output_infer_result: Whether to write predictions; None for what the texts say.
        listed: Whether the subjects come from the data list; if not, neither it nor the data folder need be there.
        allow_custom_code: Whether code in the archive's ``custom`` folder may be run later; it is never run here.

    Raises:
        ArchiveError: There is no archive at ``root``.
        CustomCodeRefused: All that is wrong is that the archive brings code and it was not allowed.
        ConfigError: With every fault of the texts, the components, their rules and the data lists.
    """
    asked = {"do_validation": do_validation, "output_infer_result": output_infer_result}
    said = [f"{name}={str(value).lower()}" for name, value in asked.items() if value is not None]
    request = Request(root, config, environment, (*overrides, *said), allow_custom_code)
    work = open_workspace(request, EVALUATE_SECTIONS | EVALUATE_SETTINGS.keys())
    settings = {name: work.setting(name, EVALUATE_SETTINGS) for name in EVALUATE_SETTINGS}
    parts = read_evaluation(work)
    data_list_file, data_root = check_evaluation(work, parts, settings=settings, listed=listed)
    work.finish()
    return EvaluatePlan(
        archive=work.archive,
        config_file=work.config_file,
        variables=work.values(),
        data_list_file=_sure(data_list_file),
        data_root=_sure(data_root),
        data_list_key=settings["DATA_LIST_KEY"],
        batch_size=settings["batch_size"],
        use_amp=settings["use_amp"],
        inferer=_sure(parts.inferer),
        model_loader=parts.model_loader,
        pre_transforms=parts.pre_transforms,
        post_transforms=parts.post_transforms,
        label_transforms=parts.label_transforms,
        val_metrics=parts.val_metrics,
        writers=parts.writers,
        do_validation=settings["do_validation"],
        output_infer_result=settings["output_infer_result"],
        output_dir=_sure(work.path("MMAR_EVAL_OUTPUT_PATH")),
        checkpoint_dir=_sure(work.path("MMAR_CKPT_DIR")),
        raw=work.raw(EVALUATE_SETTINGS),
        warnings=work.findings.told(),
        places=work.findings.places,
    )


def is_evaluation(path: Path) -> bool:
    """Whether a config file is one of the validation kind: it has no ``train`` section."""
    try:
        config = read_json(path)
    except ConfigError:
        return False  # the planner says what is wrong
    return isinstance(config, dict) and "train" not in config
