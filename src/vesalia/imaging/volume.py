"""What an image is inside Vesalia: a tensor, where it lies in the patient, and where it came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, Grid, spacing_mm
from vesalia.imaging.source import ChannelAxis, Source

__all__ = ["ChannelAxis", "Sample", "Source", "Volume"]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A tensor with its place in space.

    ``D, H, W`` are the stored voxel axes i, j, k of the file (no reordering is done on load).

    Attributes:
        data: ``[D, H, W]`` (``channel="none"``), ``[C, D, H, W]`` (``"first"``) or ``[D, H, W, C]``
            (``"last"``); with ``batched`` one more axis in front. 2D images drop ``D``.
        affine: 4x4, voxel index to millimetres in RAS. ``None`` for a batch: its members lie in different places.
        channel: Where the channel axis is.
        batched: Whether axis 0 counts crops or items.
        source: The file it came from, if any.
    """

    data: torch.Tensor
    affine: Affine | None = None
    channel: ChannelAxis = "none"
    batched: bool = False
    source: Source | None = None

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Voxels along each spatial axis."""
        shape = tuple(self.data.shape)[1 if self.batched else 0 :]
        return {"none": shape, "first": shape[1:], "last": shape[:-1]}[self.channel]

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Edge lengths of a voxel in mm, in axis order."""
        return spacing_mm(self.placed, dims=len(self.spatial_shape))

    @property
    def placed(self) -> Affine:
        """The affine, or the identity where none is known."""
        return np.eye(4) if self.affine is None else self.affine

    @property
    def grid(self) -> Grid:
        """Spatial shape and affine together."""
        return Grid(self.spatial_shape, self.placed)

    def as_batch(self) -> torch.Tensor:
        """The data as ``[B, C, *spatial]``, a view where it can be; the form every transform works on."""
        data = self.data if self.batched else self.data.unsqueeze(0)
        if self.channel == "none":
            return data.unsqueeze(1)
        return data.movedim(-1, 1) if self.channel == "last" else data

    def as_float_batch(self) -> torch.Tensor:
        """:meth:`as_batch` to compute with: whole numbers become float32, fractions keep their type."""
        batch = self.as_batch()
        return batch if batch.is_floating_point() else batch.float()

    def from_batch(self, data: torch.Tensor, *, affine: Affine | None = None) -> Volume:
        """A volume of this layout from ``[B, C, *spatial]`` data; the inverse of :meth:`as_batch`."""
        if self.channel == "none":
            data = data.squeeze(1)
        elif self.channel == "last":
            data = data.movedim(1, -1)
        placed = self.affine if affine is None else affine
        data = data if self.batched else data.squeeze(0)
        return Volume(data, placed, self.channel, self.batched, self.source)  # quicker than replace: this is a hot path


@dataclass(slots=True, eq=False)
class Sample:
    """One item on its way through the transforms: named fields, as v3's transform context.

    Attributes:
        fields: Field name to volume (``image``, ``label``, ``model`` ...).
        name: The subject, for messages, reports and output folders.
        files: Field name to the file or files the data list gave, before anything was loaded.
        prepared: Results that depend only on the item, computed once and kept with it in a cache
            (foreground indices, for one), keyed by the transform that made them.
    """

    fields: dict[str, Volume] = field(default_factory=dict)
    name: str = ""
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    prepared: dict[str, torch.Tensor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Volume:
        try:
            return self.fields[name]
        except KeyError:
            has = ", ".join(sorted(self.fields)) or "none"
            message = f"{self.name or 'sample'}: found no field {name!r}, expected one of: {has}"
            raise DataError(message) from None

    def with_fields(self, **volumes: Volume) -> Sample:
        """A copy with some fields set; the volumes themselves are shared, never changed in place."""
        return replace(self, fields={**self.fields, **volumes})
