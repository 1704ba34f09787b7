"""Images in DICOM and ITK's formats, made with SimpleITK: what a converter is tried on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from vesalia.imaging.geometry import Affine

__all__ = ["itk_image", "places_mm", "write_series"]

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def itk_image(values: npt.NDArray[Any], affine: Affine) -> Any:
    """``values`` ``[D, H, W]`` at ``affine`` (RAS, no shears) as SimpleITK holds them."""
    lps = _TO_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(values.T))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetDirection((lps[:3, :3] / spacing).flatten().tolist())
    return image


def places_mm(image: Any, indices: Sequence[Sequence[int]]) -> npt.NDArray[np.float64]:
    """Where ITK itself says that voxels lie, in RAS."""
    lps = np.array([image.TransformIndexToPhysicalPoint([int(i) for i in index]) for index in indices])
    return np.asarray(lps * [-1, -1, 1])


def write_series(
    folder: Path,
    values: npt.NDArray[np.int16],
    affine: Affine,
    *,
    number: int = 1,
    leave_out: Sequence[int] = (),
    steps_mm: Sequence[float] | None = None,
    tilt_mm: float = 0.0,
    name: str = "{:02d}.dcm",
) -> None:
    """Write ``values`` as DICOM, a file per slice, names in another order than positions.

    Args:
        folder: Where to; made if it is not there.
        values: ``[columns, rows, slices]``.
        affine: RAS, without shears.
        number: The series number; it tells series apart.
        leave_out: Slices that are missing.
        steps_mm: Distance of each slice along the third axis, instead of even ones.
        tilt_mm: How far each slice lies further to posterior than the one before, as with a tilted gantry.
        name: Name of a slice's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    image = itk_image(values, affine)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    uid = f"1.2.826.0.1.3680043.2.1125.{number}"
    writer = SimpleITK.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    count = values.shape[2]
    for index in (index for index in range(count) if index not in leave_out):
        position = np.array(image.TransformIndexToPhysicalPoint((0, 0, index)))
        if steps_mm is not None:
            position = np.array(image.GetOrigin()) + direction[:, 2] * steps_mm[index]
        position += [0, tilt_mm * index, 0]
        part = image[:, :, index]
        tags = {
            "0008|0060": "MR",
            "0008|0018": f"{uid}.{index + 1}",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.99",
            "0020|000e": uid,
            "0020|0011": str(number),
            "0020|0013": str(index),
            "0020|0032": "\\".join(f"{value:.8g}" for value in position),
            "0020|0037": "\\".join(f"{value:.10g}" for value in [*direction[:, 0], *direction[:, 1]]),
        }
        for tag, value in tags.items():
            part.SetMetaData(tag, value)
        writer.SetFileName(str(folder / "writing.dcm"))
        writer.Execute(part)
        (folder / "writing.dcm").rename(folder / name.format((index * 7) % count + 1))
