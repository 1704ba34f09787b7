"""A model at work on images without labels: a list of subjects, or a single image."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Affine
from vesalia.imaging.nifti import write_volume
from vesalia.imaging.resample import resample_to
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.assemble import Assembly, InferenceOptions, assemble
from vesalia.inference.results import CaseResult, InferResult
from vesalia.inference.room import require_room
from vesalia.inference.subjects import Progress, run_subjects, tell
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import items_of, read_datalist, stem_of
from vesalia.runtime.files import require_writable
from vesalia.runtime.interrupts import StopRequest

__all__ = ["infer", "infer_image"]


def infer(
    plan: EvaluatePlan,
    options: InferenceOptions | None = None,
    *,
    images: Sequence[Path] = (),
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> InferResult:
    """Predict subjects and write what the plan's writers say; labels are not read.

    Args:
        plan: A checked plan, from :func:`vesalia.mmar.validate.plan_evaluation`.
        options: Device, number format, other weights, whether to go on from an earlier inference.
        images: Image files to predict; none takes the plan's data list.
        progress: Is told how far it has come.
        stop: Set it to stop before the next subject.

    Raises:
        ConfigError: The plan has no writers.
        CheckpointError: The weights are missing, torn or foreign.
        DataError: Files are missing, before anything is done; or subjects are broken: all of them are named, and the
            results of the others are written.
        ResourceError: The memory or the disk is not enough.
        Interrupted: A stop was asked for; each file is whole, and ``resume`` goes on.
    """
    began = time.monotonic()
    options = options or InferenceOptions()
    if not plan.writers:
        where = plan.archive.shown(plan.config_file)
        message = f"{where}: writers: found none, expected at least one; write [{_WRITER_EXAMPLE}]"
        raise ConfigError(message)
    plan = replace(plan, do_validation=False, output_infer_result=True)
    items = items_of(images) or read_datalist(plan.data_list_file, plan.data_root, key=plan.data_list_key).items
    assembly = assemble(plan, options)
    require_writable(plan.output_dir)
    predictions = assembly.predictions(plan)
    done = tuple(item.name for item in items if predictions.hold(item)) if options.resume else ()
    left = [item for item in items if item.name not in done]
    room = require_room(plan, left, classes=len(assembly.loaded.class_names), streamed=assembly.streamed())
    tell(progress, room)

    def write(start: Sample) -> CaseResult:
        record = predictions.record(start.files)
        files = predictions.write(assembly.through(start)[1], record)
        return CaseResult(start.name, start.files["image"][0], files=files)

    outcome = run_subjects(left, write, progress=progress, stop=stop)
    there = {*done, *(case.subject for case in outcome.cases)}
    subjects = [item.name for item in items if item.name in there]
    finals = predictions.finalize(subjects, class_names=assembly.loaded.class_names)
    outcome.raise_failures(plan.output_dir)
    return InferResult(tuple(outcome.cases), done, plan.output_dir, time.monotonic() - began, plan.warnings, finals)


_WRITER_EXAMPLE = '{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}'


def infer_image(
    plan: EvaluatePlan,
    image: Path | str | Volume | npt.NDArray[Any],
    *,
    affine: Affine | None = None,
    options: InferenceOptions | None = None,
) -> Volume:
    """Predict one image, on its own grid.

    Args:
        plan: A checked plan; its data list and writers are not used.
        image: A file, a volume, or an array ``[D, H, W]`` (``[D, H, W, C]`` with channels) in the plan's own units.
        affine: For an array: voxel index to mm in RAS; the identity if left out.
        options: Device, number format, other weights.

    Returns:
        The field ``model`` after the post-transforms, with the image's affine and voxels.

    Raises:
        CheckpointError: The weights are missing, torn or foreign.
        DataError: The image cannot be read or does not fit the network.
    """
    objects = assemble(replace(plan, do_validation=False, output_infer_result=False), options)
    if isinstance(image, str | Path):
        return _on_own_grid(objects, Path(image))
    volume = image if isinstance(image, Volume) else _as_volume(np.asarray(image), affine)
    with tempfile.TemporaryDirectory(prefix="vesalia-") as folder:
        # The plan's loading transform reads files: through one, an array takes the very same way.
        return _on_own_grid(objects, write_volume(volume, Path(folder) / "image.nii"))


def _as_volume(array: npt.NDArray[Any], affine: Affine | None) -> Volume:
    if array.ndim not in {2, 3, 4} or array.dtype.kind not in "fiub":
        message = (
            f"image: found an array of shape {array.shape} and type {array.dtype}, expected numbers as [D, H, W], or "
            "[D, H, W, C] with channels"
        )
        raise DataError(message)
    place = np.eye(4) if affine is None else np.asarray(affine, dtype=np.float64)
    return Volume(
        torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=True)),
        place,
        "last" if array.ndim == 4 else "none",
    )


def _on_own_grid(assembly: Assembly, path: Path) -> Volume:
    sample, finished = assembly.through(Sample(name=stem_of(path), files={"image": (path,)}))
    source, predicted = sample["image"].source, finished["model"]
    if source is None or predicted.affine is None or predicted.grid.matches(source.grid):
        return predicted
    whole = not predicted.data.is_floating_point()
    return resample_to(predicted, source.grid, mode="nearest" if whole else "linear")
