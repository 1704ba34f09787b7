"""An evaluation config: read part by part, then checked against itself and its data list."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vesalia.errors import Fault
from vesalia.mmar import rules
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.references import resolve
from vesalia.mmar.sections import place_of
from vesalia.mmar.workspace import Workspace
from vesalia.registry.kinds import shown

__all__ = ["EvaluationParts", "check_evaluation", "read_evaluation"]

_LABELS = "label_transforms"


@dataclass(frozen=True, slots=True)
class EvaluationParts:
    """The components of an evaluation config as far as they could be read."""

    inferer: ComponentPlan | None
    model_loader: ComponentPlan | None
    pre_transforms: tuple[ComponentPlan, ...]
    post_transforms: tuple[ComponentPlan, ...]
    label_transforms: tuple[ComponentPlan, ...]
    val_metrics: tuple[ComponentPlan, ...]
    writers: tuple[ComponentPlan, ...]


def read_evaluation(work: Workspace) -> EvaluationParts:
    """Read every component; faults go to the workspace's findings."""
    config = work.config
    chains = {
        name: work.components(config.get(name), "transform", key=name)
        for name in ("pre_transforms", "post_transforms", "label_transforms")
    }
    resolved = {name: resolve(chain, work.reader.handles, findings=work.findings) for name, chain in chains.items()}
    _check_references(work, resolved)
    return EvaluationParts(
        inferer=work.single(config, "inferer", slot="inferer", where=""),
        model_loader=work.single(config, "model_loader", slot="model_loader", where="", required=False),
        val_metrics=work.plans(config.get("val_metrics"), "metric", key="val_metrics"),
        writers=work.plans(config.get("writers"), "writer", key="writers"),
        **resolved,
    )


def _check_references(work: Workspace, resolved: Mapping[str, tuple[ComponentPlan, ...]]) -> None:
    """A transform of the label's list is no part of the image's or the prediction's: without labels it is not there."""
    for name, chain in resolved.items():
        for step in chain if name != _LABELS else ():
            if step.where.startswith(f"{_LABELS}["):
                found = f'{{"ref": {shown(step.handle)}}}, which is {step.where}'
                expected = f"a transform of {name} (transforms of {_LABELS} are done to the label alone)"
                work.findings.fault(name, found=found, expected=expected, write="the transform in full")


def check_evaluation(
    work: Workspace, parts: EvaluationParts, *, settings: Mapping[str, Any], listed: bool = True
) -> tuple[Path | None, Path | None]:
    """Check the rules between the parts, and the data list; gives the data list and the data folder.

    Not ``listed``: images are given one by one, so neither need be there.
    """
    wanted = _needed_path if listed else _any_path
    file, base = (wanted(work, name) for name in ("DATASET_JSON", "DATA_ROOT"))
    given: frozenset[str] = frozenset()
    if listed and file is not None and base is not None:
        key = settings["DATA_LIST_KEY"]
        given = work.lists.check(
            file,
            base,
            key=key,
            file_at=place_of(work, "DATASET_JSON", value=str(file), key="DATASET_JSON"),
            base_at=place_of(work, "DATA_ROOT", value=str(base), key="DATA_ROOT"),
            key_at=place_of(work, "DATA_LIST_KEY", value=key, key="DATA_LIST_KEY"),
        )
    _check_purpose(work, parts, settings, listed=listed)
    rules.check_metric_names(parts.val_metrics, work.findings, needs_key=False, where="val_metrics")
    if not work.findings.unreadable:
        _check_fields(work, parts, given)
    return file, base


def _any_path(work: Workspace, name: str) -> Path:
    return work.path(name) or work.archive.root


def _needed_path(work: Workspace, name: str) -> Path | None:
    path = work.path(name)
    if path is None and name not in work.findings.meant:
        file = work.archive.shown(work.environment_file)
        expected = "the data list (a JSON file)" if name == "DATASET_JSON" else "the folder that its paths start from"
        work.findings.faults.append(Fault(file, name, "nothing", expected, f'"{name}": "...", or --set {name}=...'))
    return path


def _check_purpose(work: Workspace, parts: EvaluationParts, settings: Mapping[str, Any], *, listed: bool) -> None:
    """Whether the switches fit the parts; an image given by itself may be predicted without being written."""
    judges, writes = settings["do_validation"], settings["output_infer_result"]
    if not judges and not writes:
        found, expected = "false, and output_infer_result false as well", "something to do"
        work.findings.fault("do_validation", found=found, expected=expected, write="--set do_validation=true")
    if judges and not parts.val_metrics and not work.findings.unreadable:
        work.findings.warn("val_metrics", found="no metric", expected="one, as do_validation is true")
    if listed and writes and not parts.writers and not work.findings.unreadable:
        work.findings.warn("writers", found="no writer", expected="one, as output_infer_result is true")


def _check_fields(work: Workspace, parts: EvaluationParts, given: frozenset[str]) -> None:
    """Fields in the order of work: image, prediction, label, then metrics and writers."""
    before = rules.check_fields(parts.pre_transforms, given, findings=work.findings)
    if before is None:
        return
    chain = [*parts.post_transforms, *parts.label_transforms]
    after = rules.check_fields(chain, {*before, "model"}, findings=work.findings)
    if after is not None:
        readers = [*parts.val_metrics, *parts.writers]
        rules.check_metric_fields(readers, after, findings=work.findings, training=False)
