"""The ``train`` and ``validate`` sections of a training config: read part by part, then checked against each other."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vesalia.mmar import channel_rules, label_rules, rules
from vesalia.mmar.dataset import Place
from vesalia.mmar.network import fit_network
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.references import resolve
from vesalia.mmar.workspace import Workspace
from vesalia.registry.kinds import Mismatch, coerce, shown

__all__ = [
    "SEED_NAMES",
    "TrainSection",
    "ValidateSection",
    "check_train",
    "check_validate",
    "place_of",
    "read_determinism",
    "read_train",
    "read_validate",
]

_TRAIN_KEYS = (
    "loss",
    "model",
    "optimizer",
    "lr_policy",
    "aux_ops",
    "handlers",
    "pre_transforms",
    "batch_transforms",
    "image_pipeline",
)
_VALIDATE_KEYS = ("pre_transforms", "image_pipeline", "inferer", "metrics")
SEED_NAMES = ("random_seed", "numpy_seed", "torch_seed", "tf_seed", "python_seed")
"""What ``determinism`` may name; a run has one seed, and takes the first of these that is given."""


@dataclass(frozen=True, slots=True)
class TrainSection:
    """The ``train`` section as far as it could be read."""

    loss: ComponentPlan | None
    model: ComponentPlan | None
    optimizer: ComponentPlan | None
    lr_policy: ComponentPlan | None
    aux_ops: tuple[ComponentPlan, ...]
    handlers: tuple[ComponentPlan, ...]
    pre_transforms: tuple[ComponentPlan, ...]
    batch_transforms: tuple[ComponentPlan, ...]
    image_pipeline: ComponentPlan | None


@dataclass(frozen=True, slots=True)
class ValidateSection:
    """The ``validate`` section as far as it could be read."""

    pre_transforms: tuple[ComponentPlan, ...]
    image_pipeline: ComponentPlan | None
    inferer: ComponentPlan | None
    metrics: tuple[ComponentPlan, ...]


def read_determinism(work: Workspace) -> dict[str, int] | None:
    """The seeds; an empty section switches determinism on as well."""
    node = work.config.get("determinism")
    if node is None or node is False:
        return None
    if not isinstance(node, dict):
        work.findings.fault("determinism", found=shown(node), expected="an object", write='{"random_seed": 123456}')
        return None
    seeds: dict[str, int] = {}
    for name, value in node.items():
        seed = coerce(value, "Whole")
        if name not in SEED_NAMES:
            work.findings.unknown_key("determinism", name, known=SEED_NAMES, present=node)
        elif isinstance(seed, int):
            seeds[name] = seed
        elif isinstance(seed, Mismatch) and not work.findings.is_unresolved(f"determinism.{name}"):
            work.findings.fault(f"determinism.{name}", found=shown(value), expected=seed.expected, write="123456")
    return seeds


def read_train(work: Workspace) -> TrainSection:
    """Read the ``train`` section; faults go to the workspace's findings."""
    section = work.section(work.config, "train", known=_TRAIN_KEYS)
    if section is None and "train" not in work.config and "train" not in work.findings.meant:
        work.findings.fault("train", found="nothing", expected="the section train", write='"train": { ... }')
    where = "train"
    has_section = section is not None
    section = section or {}
    pre = work.components(section.get("pre_transforms"), "transform", key=f"{where}.pre_transforms")
    batch = work.components(section.get("batch_transforms"), "batch_transform", key=f"{where}.batch_transforms")
    train = TrainSection(
        loss=work.single(section, "loss", slot="loss", where=where, required=has_section),
        model=work.single(section, "model", slot="model", where=where, required=has_section),
        optimizer=_read_optimizer(work, section),
        lr_policy=work.single(section, "lr_policy", slot="lr_policy", where=where, required=False),
        aux_ops=work.plans(section.get("aux_ops"), "aux_op", key=f"{where}.aux_ops"),
        handlers=work.plans(section.get("handlers"), "handler", key=f"{where}.handlers"),
        pre_transforms=resolve(pre, work.reader.handles, findings=work.findings),
        batch_transforms=resolve(batch, work.reader.handles, findings=work.findings),
        image_pipeline=work.single(section, "image_pipeline", slot="image_pipeline", where=where, required=has_section),
    )
    model = fit_network(train.model, loss=train.loss, pipeline=train.image_pipeline, findings=work.findings)
    return replace(train, model=model)


def _read_optimizer(work: Workspace, section: Mapping[str, Any]) -> ComponentPlan | None:
    """The optimizer; v3's default is Adam."""
    faults = len(work.findings.faults)
    found = work.single(
        section, "optimizer", slot="optimizer", where="train", required=isinstance(section.get("optimizer"), list)
    )
    if found is None and len(work.findings.faults) == faults:
        return work.default("optimizer", "Adam", key="train.optimizer")
    return found


def read_validate(work: Workspace) -> ValidateSection | None:
    """Read the ``validate`` section; None where the config has none."""
    section = work.section(work.config, "validate", known=_VALIDATE_KEYS)
    if section is None:
        return None
    where = "validate"
    pre = work.components(section.get("pre_transforms"), "transform", key=f"{where}.pre_transforms")
    return ValidateSection(
        pre_transforms=resolve(pre, work.reader.handles, findings=work.findings),
        image_pipeline=work.single(section, "image_pipeline", slot="image_pipeline", where=where),
        inferer=work.single(section, "inferer", slot="inferer", where=where),
        metrics=work.plans(section.get("metrics"), "metric", key=f"{where}.metrics"),
    )


def check_train(work: Workspace, train: TrainSection) -> None:
    """Check the rules between the parts of ``train``, and its data list."""
    rules.check_model_and_loss(train.model, train.loss, findings=work.findings)
    channel_rules.check_tags(train.aux_ops, train.model, findings=work.findings)
    if train.image_pipeline is None:
        return
    label_rules.check_heads(
        train.image_pipeline, model=train.model, loss=train.loss, readers=train.aux_ops, findings=work.findings
    )
    task = work.variables.get("PROCESSING_TASK")
    label_rules.check_task(train.image_pipeline, task.value if task else None, findings=work.findings)
    given = _check_pipeline(work, train.image_pipeline)
    rules.check_crop_size(train.pre_transforms, train.image_pipeline, findings=work.findings)
    if not work.findings.unreadable:
        rules.check_batching(
            train.pre_transforms, train.batch_transforms, pipeline=train.image_pipeline, findings=work.findings
        )
        chain = [*train.pre_transforms, *train.batch_transforms]
        rules.check_fields(chain, given, findings=work.findings)
        channel_rules.check_image_channels(chain, pipeline=train.image_pipeline, findings=work.findings)
        readers = [*([train.loss] if train.loss else []), *train.aux_ops]
        channel_rules.check_label_channels(
            chain, pipeline=train.image_pipeline, model=train.model, readers=readers, findings=work.findings
        )


def check_validate(work: Workspace, train: TrainSection, *, validate: ValidateSection) -> None:
    """Check the rules between the parts of ``validate``, and its data list."""
    rules.check_metric_names(validate.metrics, work.findings, needs_key=True, where="validate.metrics")
    if validate.image_pipeline is None:
        return
    label_rules.check_inferer(validate.image_pipeline, validate.inferer, findings=work.findings)
    if train.image_pipeline is not None:
        label_rules.check_heads(
            train.image_pipeline, model=None, loss=None, readers=validate.metrics, findings=work.findings
        )
    given = _check_pipeline(work, validate.image_pipeline)
    if work.findings.unreadable:
        return
    fields = rules.check_fields(validate.pre_transforms, given, findings=work.findings)
    if train.image_pipeline is not None:
        channel_rules.check_image_channels(
            validate.pre_transforms, pipeline=train.image_pipeline, findings=work.findings
        )
    channel_rules.check_label_channels(
        validate.pre_transforms,
        pipeline=validate.image_pipeline,
        model=train.model,
        readers=validate.metrics,
        findings=work.findings,
    )
    tags = rules.tags_of(train.aux_ops)
    if fields is not None and tags is not None:
        rules.check_metric_fields(validate.metrics, {*fields, *tags, "model"}, findings=work.findings)


def _check_pipeline(work: Workspace, pipeline: ComponentPlan) -> frozenset[str]:
    """The pipeline's data list; its entries' field names where they can be told."""
    file, base, key = (
        pipeline.argument(name) for name in ("data_list_file_path", "data_file_base_dir", "data_list_key")
    )
    if not (isinstance(file, str) and isinstance(base, str) and isinstance(key, str)):
        return frozenset()
    where = f"{pipeline.where}.args"
    return work.lists.check(
        Path(file),
        Path(base),
        key=key,
        file_at=place_of(work, "DATASET_JSON", value=file, key=f"{where}.data_list_file_path"),
        base_at=place_of(work, "DATA_ROOT", value=base, key=f"{where}.data_file_base_dir"),
        key_at=place_of(work, "DATA_LIST_KEY", value=key, key=f"{where}.data_list_key"),
    )


def place_of(work: Workspace, variable_name: str, *, value: str, key: str) -> Place:
    """Where a value is to be mended: at the variable it came from, or at the key itself."""
    variable = work.variables.get(variable_name)
    if variable is not None and variable.value == value:
        return Place(variable.file, variable_name)
    return Place(work.findings.file, key)
