"""PNG and JPEG in and out: 2D images of 1 or more channels, rows first.

Pictures do not know where they lie. They are placed as ITK places them: pixels of 1 mm, columns run to the patient's
left and rows to posterior, which is an axial slice as radiology shows it.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.volume import ChannelAxis, Source, Volume
from vesalia.imaging.voxel_values import check_fits
from vesalia.runtime.files import atomic_path

__all__ = ["picture_affine", "read_picture", "write_picture"]

_FORMATS = ("PNG", "JPEG")
"""What is opened at all; Pillow knows formats whose readers call other programs."""
_AS_STORED = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def picture_affine() -> Affine:
    """Rows to posterior, columns to left, 1 mm a pixel."""
    return np.array([[0, -1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=np.float64)


def read_picture(paths: Sequence[Path], *, palette: Literal["colours", "indices"] = "colours") -> Volume:
    """Read pictures as one volume; several files become channels, one behind the other.

    Args:
        paths: The files, PNG or JPEG whatever their names say, all of one size.
        palette: What a picture with a palette holds: the colours in it, or the numbers of its entries (labels).

    Returns:
        Float32 values as stored: ``[H, W]`` (``channel="none"``) for one grey file, ``[H, W, C]`` (``"last"``) else.
        Transparency is dropped.

    Raises:
        DataError: A file is missing, damaged, neither PNG nor JPEG, or of another size than the first one.
    """
    layers = [_read_one(path, palette) for path in paths]
    for path, layer in zip(paths, layers, strict=True):
        if layer.shape[:2] != layers[0].shape[:2]:
            found, expected = (f"{one.shape[0]} x {one.shape[1]} pixels" for one in (layer, layers[0]))
            raise DataError(f"{path}: found {found}, expected {expected} as {paths[0]} has; write pictures of one size")
    grey = len(layers) == 1 and layers[0].ndim == 2
    stacked = layers[0] if grey else np.concatenate([np.atleast_3d(layer) for layer in layers], axis=2)
    channel: ChannelAxis = "none" if grey else "last"
    source = Source(tuple(paths), Grid(stacked.shape[:2], picture_affine()), dtype=str(layers[0].dtype))
    data = torch.from_numpy(stacked.astype(np.float32))
    return Volume(data, affine=picture_affine(), channel=channel, source=source)


def write_picture(volume: Volume, path: Path, *, dtype: Literal["uint8", "uint16"]) -> Path:
    """Write a 2D volume as PNG, grey or in colours; the file is whole or not there. Fractions are rounded.

    A 3D volume of a single slice counts as 2D.

    Raises:
        DataError: The volume is a batch or a stack of slices, has neither 1 nor 3 channels, or values that do not fit.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    pixels = _pixels(_flat(volume, path), path, np.dtype(dtype))
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
    return path


def _read_one(path: Path, palette: Literal["colours", "indices"]) -> npt.NDArray[Any]:
    """``[H, W]`` or ``[H, W, 3]`` as stored."""
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            mode = _mode(picture, palette)
            return np.asarray(picture if mode is None else picture.convert(mode))
    except FileNotFoundError:
        message = f"{path}: found no such file, expected a picture; write the right path in the data list"
        raise DataError(message) from None
    except _UNREADABLE as error:
        message = f"{path}: found no readable PNG or JPEG ({error}), expected a picture; write a fresh copy of the file"
        raise DataError(message) from error


def _mode(picture: Image.Image, palette: Literal["colours", "indices"]) -> str | None:
    """The Pillow mode to convert to; None to take what is stored."""
    if picture.mode in _AS_STORED or (picture.mode == "P" and palette == "indices"):
        return None
    return "L" if picture.mode in {"LA", "La"} else "RGB"


def _flat(volume: Volume, path: Path) -> torch.Tensor:
    """``[C, H, W]``, on the CPU."""
    data = volume.as_batch()
    if volume.batched:
        raise DataError(f"{path}: found a batch of crops to write, expected one image; write them one by one")
    if data.ndim == 5 and data.shape[-1] == 1:
        data = data[..., 0]
    if data.ndim != 4:
        shape = " x ".join(map(str, volume.spatial_shape))
        raise DataError(f"{path}: found a volume of {shape} voxels, expected a 2D image; write it with WriteNifti")
    return data[0].detach().cpu()


def _pixels(data: torch.Tensor, path: Path, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """``[H, W]`` or ``[H, W, 3]`` as PNG stores it."""
    if len(data) not in {1, 3} or (len(data) == 3 and dtype != np.uint8):
        expected = "1 channel, or 3 with dtype uint8"
        message = f"{path}: found {len(data)} channels for a PNG of {dtype.name}, expected {expected}"
        raise DataError(f"{message}; write ArgmaxAcrossChannels or SplitAcrossChannels into post_transforms")
    values = data.float().numpy() if data.is_floating_point() else data.numpy()
    values = np.rint(values) if values.dtype.kind == "f" else values
    check_fits(values, dtype, path=path)
    stored = values.astype(dtype)
    return np.ascontiguousarray(stored[0] if len(stored) == 1 else np.moveaxis(stored, 0, -1))
