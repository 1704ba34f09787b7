"""What a plan needs of memory and disk, against what the machine has."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

from vesalia.datatools.data_use import DataUse
from vesalia.datatools.footprint import activation_bytes, cached_item_bytes, weight_bytes
from vesalia.datatools.subject_check import SubjectFindings
from vesalia.errors import CheckpointError, Fault
from vesalia.inference.assemble import weights_prefix
from vesalia.inference.card import read_card
from vesalia.inference.sizes import decides_by_windows
from vesalia.inference.streaming.prediction import BUFFER_BYTES
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan, TrainPlan
from vesalia.runtime.machine import available_memory_bytes, free_disk_bytes, in_words

__all__ = ["Estimate", "estimate", "estimate_faults"]

_FLOAT32 = 4
_GPU_DRIVER = Path("/proc/driver/nvidia/version")
_RECORDS_BYTES = 20_000_000
_CHECKPOINTS = 8
"""Weight sizes on disk: best and last weights, the resume state with two moments, and its successor beside it."""
_LABEL_MAP_SHRINKS = 10
_KEEP_WHOLE_NUMBERS = frozenset(
    {
        "CenterData",
        "ConvertToChannelsFirst",
        "ConvertToChannelsLast",
        "LoadNifti",
        "ScaleByResolution",
        "ScaleIntensityRange",
        "SymmetricPadderDiv",
    }
)
_DONE_IN_ONE_PASS = frozenset(
    {
        "CropByPosNegRatio",
        "CropFixedSizeRandomCenter",
        "FastCropByPosNegRatio",
        "FastPosNegRatioCropROI",
        "RandomAxisFlip",
        "RandomRotate2D",
        "RandomRotate3D",
        "RandomSpatialFlip",
        "RandomZoom",
    }
)
_STEP_DOUBT = 8
"""A training step is refused only where even this part of its estimate does not fit; else the run may try."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes, roughly.

    Attributes:
        cache: Subjects held in memory.
        batches: Batches made ahead, and subjects being prepared.
        step: What a training step or the prediction of a subject takes; 0 where a GPU does a step.
        memory_available: What the machine has left.
        disk: What is written.
        disk_available: What the disk has left.
        disk_folder: Where it is written.
        cached_items: Number of the subjects held in memory.
        cached_item: Average size of one of them.
        judging: What the largest subject of a validation takes, all its classes at once; 0 where a GPU does it.
    """

    cache: int
    batches: int
    step: int
    memory_available: int
    disk: int
    disk_available: int
    disk_folder: str
    cached_items: int = 0
    cached_item: int = 0
    judging: int = 0

    @property
    def memory(self) -> int:
        """All memory together."""
        return self.cache + self.batches + max(self.step, self.judging)

    def to_dict(self) -> dict[str, Any]:
        """The estimate as plain data, ``memory`` included; every name ends in its unit."""
        numbers = {**asdict(self), "memory": self.memory}
        folder, items = numbers.pop("disk_folder"), numbers.pop("cached_items")
        return {
            **{f"{name}_bytes": value for name, value in numbers.items()},
            "disk_folder": folder,
            "cached_items": items,
        }


def estimate(
    plan: TrainPlan | EvaluatePlan, found: Mapping[str, tuple[DataUse, Sequence[SubjectFindings]]]
) -> Estimate:
    """Estimate from the headers of all subjects.

    Args:
        plan: What is to be done.
        found: By ``DataUse.where``, the use and what was found of its subjects.
    """
    if isinstance(plan, EvaluatePlan):
        return _evaluation(plan, found)
    caches = [_cache(use, subjects) for use, subjects in found.values()]
    cache, items = sum(size * count for size, count in caches), sum(count for _, count in caches)
    use, subjects = found["train.image_pipeline"]
    crop, batch = _crop(plan, subjects), _batch(plan)
    channels = use.image_channels or 1
    one = _FLOAT32 * prod(crop) * batch * (channels + use.label_channels)
    largest = max((cached_item_bytes(s.resampled_shape, image_channels=s.channels) for s in subjects), default=0)
    workers = int(plan.image_pipeline.argument("num_workers", 4))
    args = {**plan.model.defaults, **plan.model.args}
    return Estimate(
        cache=cache,
        batches=one * int(plan.image_pipeline.argument("prefetch_size", 20)) + 2 * workers * largest,
        step=0 if _GPU_DRIVER.exists() else activation_bytes(plan.model.name, args, crop=crop, batch=batch),
        memory_available=available_memory_bytes(),
        disk=_CHECKPOINTS * weight_bytes(plan.model.name, args) + _RECORDS_BYTES,
        disk_available=free_disk_bytes(plan.checkpoint_dir),
        disk_folder=str(plan.checkpoint_dir),
        cached_items=items,
        cached_item=cache // items if items else 0,
        judging=0 if _GPU_DRIVER.exists() else _judging(found, classes=int(args.get("num_classes") or 1)),
    )


def _judging(found: Mapping[str, tuple[DataUse, Sequence[SubjectFindings]]], *, classes: int) -> int:
    """The largest subject of the validation with a probability per class: metrics may read any of them."""
    judged = [
        (prod(subject.resampled_shape), subject.channels + (0 if use.label_format else classes))
        for where, (use, part) in found.items()
        for subject in part
        if where.startswith("validate") and subject.resampled_shape
    ]
    return max((_FLOAT32 * voxels * channels for voxels, channels in judged), default=0)


def estimate_faults(plan: TrainPlan | EvaluatePlan, needs: Estimate) -> tuple[list[Fault], list[Fault]]:
    """(faults, warnings): a fault where it cannot be done, a warning where it may not."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    config = plan.config_file.name
    have = f"at most the {in_words(needs.memory_available)} that are free"
    if needs.cache > needs.memory_available:
        faults.append(_cache_fault(config, needs, have))
    elif needs.memory > needs.memory_available:
        found = f"a need of about {in_words(needs.memory)} of memory"
        key, write = ("train", "a smaller crop size, batch_size or num_cache_objects")
        if isinstance(plan, EvaluatePlan):
            key, write = "inferer", "a coarser target_resolution, or close other programs"
        elif needs.judging > needs.step:
            key, write = "validate", "a coarser target_resolution, or leave the largest subjects out of the validation"
        surely = needs.step // (_STEP_DOUBT if isinstance(plan, TrainPlan) else 2)
        sure = needs.cache + needs.batches + max(surely, needs.judging) > needs.memory_available
        (faults if sure else warnings).append(Fault(config, key, found=found, expected=have, write=write))
    if needs.disk > needs.disk_available:
        found = f"{in_words(needs.disk_available)} free, about {in_words(needs.disk)} needed"
        write = "--set MMAR_EVAL_OUTPUT_PATH=" if isinstance(plan, EvaluatePlan) else "--set MMAR_CKPT_DIR="
        write += "a folder on a disk with room, or free some"
        faults.append(Fault(needs.disk_folder, found=found, expected="room on the disk", write=write))
    return faults, warnings


def _cache_fault(config: str, needs: Estimate, have: str) -> Fault:
    fitting = max(1, needs.memory_available * 2 // 3 // max(1, needs.cached_item))
    return Fault(
        config,
        "train.image_pipeline.args.num_cache_objects",
        found=f"{needs.cached_items} cached subjects of {in_words(needs.cached_item)}, "
        f"{in_words(needs.cache)} together",
        expected=have,
        write=f"num_cache_objects of {fitting} in all and replace_percent: 0.2, a coarser target_resolution, "
        "or cache_budget_gb: what it may take",
    )


def _cache(use: DataUse, subjects: Sequence[SubjectFindings]) -> tuple[int, int]:
    """(bytes of an average subject, subjects held) of one pipeline."""
    known = [subject for subject in subjects if subject.resampled_shape]
    pipeline = use.pipeline
    if pipeline is None or not known or pipeline.argument("num_cache_objects") is None:
        return 0, 0
    sizes = [
        cached_item_bytes(
            subject.resampled_shape,
            image_channels=subject.channels,
            label_channels=use.label_channels,
            image_bytes=_image_bytes(use, subject),
            label_bytes=1,
        )
        for subject in known
    ]
    copies, size = int(pipeline.argument("duplicate_count", 1) or 1), sum(sizes) // len(sizes)
    count = min(int(pipeline.argument("num_cache_objects")), len(subjects) * copies)
    budget_gb = pipeline.argument("cache_budget_gb")
    return size, count if budget_gb is None else min(count, int(float(budget_gb) * 1e9) // max(1, size))


def _image_bytes(use: DataUse, subject: SubjectFindings) -> int:
    """Bytes of a cached voxel: whole numbers stay so where nothing resamples them, and the first dice allow it."""
    kind = use.pipeline.argument("cache_dtype", "auto") if use.pipeline else "auto"
    if kind != "auto":
        return _FLOAT32 // 2 if kind == "float16" else _FLOAT32
    others = (step.name for step in use.transforms if step.name not in _KEEP_WHOLE_NUMBERS)
    first = next(others, None)
    kept = (first is None or first in _DONE_IN_ONE_PASS) and prod(subject.resampled_shape) == subject.stored_voxels
    return min(_FLOAT32, subject.whole_bytes) if kept and subject.whole_bytes else _FLOAT32


def _crop(plan: TrainPlan, subjects: Sequence[SubjectFindings]) -> tuple[int, ...]:
    """Voxels per crop: what the chain crops to, else what the pipeline declares, else the largest subject."""
    sizes = [step.argument("size") for step in plan.pre_transforms if "Crop" in step.name]
    declared = plan.image_pipeline.argument("output_crop_size", ())
    for size in (*reversed(sizes), declared):
        if size and all(int(length) > 0 for length in size):
            return tuple(int(length) for length in size)
    return max((subject.resampled_shape for subject in subjects), key=prod, default=(1,))


def _batch(plan: TrainPlan) -> int:
    """Crops per step."""
    crops = [_count(step, "batch_size") for step in plan.pre_transforms if "Crop" in step.name]
    pipeline = plan.image_pipeline
    items = 1 if pipeline.argument("batched_by_transforms") else _count(pipeline, "output_batch_size")
    return max(1, items) * prod(crops)


def _count(component: ComponentPlan, name: str) -> int:
    value = component.argument(name)
    return int(value) if value else 1


def _classes(plan: EvaluatePlan) -> int:
    """Channels of the prediction: what the card of the weights says, else the transforms and metrics, else 2."""
    loader = plan.model_loader
    if loader is None or loader.target.origin == "builtin":
        with contextlib.suppress(CheckpointError):
            return len(read_card(weights_prefix(plan, Builder(plan.archive)))["class_names"])
    named = [len(step.argument("label_names") or ()) for step in plan.post_transforms]
    counted = [int(metric.argument("num_classes") or 0) for metric in plan.val_metrics]
    return max((*named, *counted), default=0) or 2


def _evaluation(plan: EvaluatePlan, found: Mapping[str, tuple[DataUse, Sequence[SubjectFindings]]]) -> Estimate:
    """The largest subject, with its class channels where these are kept, and the predictions of all."""
    subjects = [subject for _, part in found.values() for subject in part if subject.resampled_shape]
    voxels = sum(subject.stored_voxels for subject in subjects)
    written = voxels * len(plan.writers) // _LABEL_MAP_SHRINKS if plan.output_infer_result else 0
    return Estimate(
        cache=0,
        batches=0,
        step=max((_prediction(plan, subject) for subject in subjects), default=0),
        memory_available=available_memory_bytes(),
        disk=written + _RECORDS_BYTES // 10,
        disk_available=free_disk_bytes(plan.output_dir),
        disk_folder=str(plan.output_dir),
    )


def _prediction(plan: EvaluatePlan, subject: SubjectFindings) -> int:
    """What a subject takes: image and labels where windows are decided as they come, else every class three times."""
    voxels, classes = max(prod(subject.resampled_shape), subject.stored_voxels), _classes(plan)
    if not decides_by_windows(plan.inferer, plan.post_transforms):
        return _FLOAT32 * voxels * (subject.channels + 3 * classes)
    masks = classes if any(step.name == "ThresholdValues" for step in plan.post_transforms) else 1
    return voxels * (2 * _FLOAT32 * subject.channels + masks) + min(BUFFER_BYTES, _FLOAT32 * classes * voxels)
