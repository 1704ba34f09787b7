"""Volumes as the NumPy images that custom code for v3 works with, and back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.volume import ChannelAxis, Sample, Source, Volume

__all__ = ["context_of", "sample_of"]

_SPACE = {2: "HW", 3: "DHW"}
_WIDER = {"u2": "i4", "u4": "i8", "u8": "i8", "f16": "f8"}
"""Number formats that tensors lack or hardly compute with, and one that holds the values."""


class _Elements(dict[str, Any]):
    """A context's fields; a volume becomes an image, with an array of its own, when somebody asks for it."""

    def __getitem__(self, field: str) -> Any:
        value = super().__getitem__(field)
        if isinstance(value, Volume):
            self[field] = value = _array_of(value) if value.spatial_shape == () else _image_of(value)
        return value

    def raw(self) -> Iterator[tuple[str, Any]]:
        """The fields as they lie here: volumes that nobody asked for as they were."""
        return iter(super().items())


def context_of(sample: Sample) -> TransformContext:
    """The context that custom code gets: paths as text, volumes as images, vectors as arrays.

    Arrays are copies: custom code may change them in place.
    """
    texts = {name: _texts(paths) for name, paths in sample.files.items() if name not in sample.fields}
    return TransformContext(_Elements({**texts, **sample.fields}))


def sample_of(context: Mapping[str, Any], before: Sample) -> Sample:
    """The sample of a context that custom code gave back.

    Args:
        context: The context.
        before: The sample that :func:`context_of` made a context of; fields that nobody asked for are taken from it.

    Raises:
        DataError: A field holds something that is neither an image nor the path of a file.
    """
    elements = context._elements if isinstance(context, TransformContext) else context  # noqa: SLF001 - without reading volumes
    device = next((volume.data.device for volume in before.fields.values()), torch.device("cpu"))
    items = elements.raw() if isinstance(elements, _Elements) else elements.items()
    fields: dict[str, Volume] = {}
    files = dict(before.files)
    for name, value in items:
        if isinstance(value, Volume):
            fields[name] = value
        elif _is_text(value):
            files[name] = _paths(value)
        else:
            fields[name] = _volume_of(value, name, before=before, device=device)
    return replace(before, fields=fields, files=files)


def _texts(paths: tuple[Path, ...]) -> str | list[str]:
    return str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]


def _is_text(value: object) -> bool:
    texts = value if isinstance(value, list | tuple) else [value]
    return bool(texts) and all(isinstance(text, str | Path) for text in texts)


def _paths(value: str | Path | list[str]) -> tuple[Path, ...]:
    return tuple(Path(text) for text in ([value] if isinstance(value, str | Path) else value))


def _array_of(volume: Volume) -> npt.NDArray[Any]:
    data = volume.data.detach().cpu()
    return np.array((data.float() if data.dtype == torch.bfloat16 else data).numpy())


def _image_of(volume: Volume) -> MedicalImage:
    space = _SPACE[len(volume.spatial_shape)]
    letters = {"none": space, "first": f"C{space}", "last": f"{space}C"}[volume.channel]
    known: dict[str, Any] = {}
    if volume.affine is not None:
        known[ImageProperty.AFFINE] = np.array(volume.affine)
        known[ImageProperty.SPACING] = volume.spacing_mm
    if volume.source is not None:
        known[ImageProperty.ORIGINAL_SHAPE] = volume.source.grid.shape
        known[ImageProperty.ORIGINAL_AFFINE] = np.array(volume.source.grid.affine)
        known[ImageProperty.FILENAME] = _texts(volume.source.paths)
    return MedicalImage(_array_of(volume), f"N{letters}" if volume.batched else letters, properties=known)


def _volume_of(value: object, name: str, *, before: Sample, device: torch.device) -> Volume:
    old = before.fields.get(name)
    if isinstance(value, MedicalImage):
        return _image_volume(value, name, old, before.files.get(name, ()), device)
    found = np.asarray(value)
    if found.ndim == 1:
        return Volume(_tensor(found, name).to(device), channel="first")
    if old is not None and found.ndim == old.data.ndim and found.dtype != np.object_:
        return replace(old, data=_tensor(found, name).to(device))
    said = f"an array of shape {found.shape}" if isinstance(value, np.ndarray) else f"{value!r:.100}"
    write = f"transform_ctx.set_image({name!r}, MedicalImage(data, ShapeFormat(...)))"
    raise DataError(f"field {name!r}: found {said}, expected a MedicalImage; write {write}")


def _image_volume(
    image: MedicalImage, name: str, old: Volume | None, files: tuple[Path, ...], device: torch.device
) -> Volume:
    form = image.get_shape_format()
    batched = form.is_batched()
    affine = None if batched else _affine_of(image, name)
    data = _tensor(image.get_data(), name).to(device)
    volume = Volume(data, affine, _channel(form), batched=batched)
    return replace(volume, source=_source_of(image, volume, old.source if old else None, files))


def _channel(form: ShapeFormat) -> ChannelAxis:
    axis = form.get_channel_axis()
    if axis is None:
        return "none"
    return "first" if axis < form.get_spatial_axis()[0] else "last"


def _affine_of(image: MedicalImage, name: str) -> Affine:
    """The affine among the properties; else one with the spacing that is known along the axes, or with 1 mm."""
    known, spacing = image.get_property(ImageProperty.AFFINE), image.get_property(ImageProperty.SPACING)
    if known is None:
        edges = () if spacing is None else tuple(spacing)
        known = np.diag([*edges, *[1.0] * (4 - len(edges))])
    affine = np.array(known, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        expected = "4 x 4 numbers, voxel index to mm in RAS"
        raise DataError(f"field {name!r}: found an affine of shape {affine.shape}, expected {expected}; write one")
    return affine


def _source_of(image: MedicalImage, volume: Volume, old: Source | None, files: tuple[Path, ...]) -> Source | None:
    """Where the image came from: as before, or as a loader noted it."""
    named, shape = image.get_property(ImageProperty.FILENAME), image.get_property(ImageProperty.ORIGINAL_SHAPE)
    paths = _paths(named) if named is not None and _is_text(named) else files
    first = _spatial(shape, volume, image.get_shape_format())
    if old is not None and paths in {old.paths, files} and first == old.grid.shape:
        return old
    if not paths:
        return None
    affine = image.get_property(ImageProperty.ORIGINAL_AFFINE)
    placed = volume.placed if affine is None else np.array(affine, dtype=np.float64)
    return Source(paths, Grid(first, placed), dtype=str(image.get_data().dtype))


def _spatial(shape: object, volume: Volume, form: ShapeFormat) -> tuple[int, ...]:
    """The file's shape in space: as noted, with or without its channel axis, or else the shape that the image has."""
    noted = tuple(int(size) for size in np.ravel(np.asarray(shape))) if shape is not None else ()
    dims = len(volume.spatial_shape)
    if len(noted) == dims:
        return noted
    first, last = form.get_spatial_axis()
    return noted[first : last + 1] if len(noted) == form.get_number_of_dims() else volume.spatial_shape


def _tensor(array: npt.NDArray[Any], name: str) -> torch.Tensor:
    """The values as a tensor that shares its memory with nothing that is read-only."""
    code = f"{array.dtype.kind}{array.dtype.itemsize}"
    if array.dtype.kind not in "biuf":
        found = f"values of type {array.dtype}"
        raise DataError(f"field {name!r}: found {found}, expected numbers; write data.astype('float32')")
    wanted = np.dtype(_WIDER.get(code, code)).newbyteorder("=") if array.dtype.kind != "b" else array.dtype
    whole = np.ascontiguousarray(array, dtype=wanted).reshape(array.shape)
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy())
