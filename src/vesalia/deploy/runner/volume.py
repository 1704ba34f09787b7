"""What an image is in the runner: an array, where it lies in the patient, and where it came from.

The twin of :mod:`vesalia.imaging.volume` without torch, and without batches: the runner has one subject at a time.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.source import ChannelAxis, Source

__all__ = ["Sample", "Volume", "change_fields"]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An array with its place in space.

    Attributes:
        data: ``[D, H, W]`` (``channel="none"``), ``[C, D, H, W]`` (``"first"``) or ``[D, H, W, C]`` (``"last"``); 2D
            images drop ``D``. It is never changed in place.
        affine: 4x4, voxel index to millimetres in RAS; None where the place is not known.
        channel: Where the channel axis is.
        source: The file it came from, if any.
    """

    data: npt.NDArray[Any]
    affine: Affine | None = None
    channel: ChannelAxis = "none"
    source: Source | None = None

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Voxels along each spatial axis."""
        shape = self.data.shape
        return {"none": shape, "first": shape[1:], "last": shape[:-1]}[self.channel]

    @property
    def placed(self) -> Affine:
        """The affine, or the identity where none is known."""
        return np.eye(4) if self.affine is None else self.affine

    @property
    def grid(self) -> Grid:
        """Spatial shape and affine together."""
        return Grid(self.spatial_shape, self.placed)

    @property
    def channels(self) -> npt.NDArray[Any]:
        """The data as ``[C, *spatial]``, a view; the form every step works on."""
        if self.channel == "none":
            return self.data[None]
        return np.moveaxis(self.data, -1, 0) if self.channel == "last" else self.data

    def like_this(self, channels: npt.NDArray[Any], *, affine: Affine | None = None) -> Volume:
        """A volume of this layout from ``[C, *spatial]``; the inverse of :attr:`channels`."""
        data = channels
        if self.channel == "none":
            data = channels[0]
        elif self.channel == "last":
            data = np.moveaxis(channels, 0, -1)
        return replace(self, data=data, affine=self.affine if affine is None else affine)


@dataclass(slots=True, eq=False)
class Sample:
    """A subject on its way through the steps.

    Attributes:
        fields: Field name to volume (``image``, ``model`` ...).
        name: The subject, for messages and output folders.
        files: Field name to its files.
    """

    fields: dict[str, Volume] = field(default_factory=dict)
    name: str = ""
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Volume:
        try:
            return self.fields[name]
        except KeyError:
            has = ", ".join(sorted(self.fields)) or "none"
            message = f"{self.name or 'sample'}: found no field {name!r}, expected one of: {has}"
            raise DataError(message) from None

    def with_fields(self, **volumes: Volume) -> Sample:
        """A copy with some fields set."""
        return replace(self, fields={**self.fields, **volumes})


def change_fields(sample: Sample, fields: Sequence[str], *, change: Callable[[Volume], Volume]) -> Sample:
    """A copy of ``sample`` whose ``fields`` went through ``change``."""
    return sample.with_fields(**{name: change(sample[name]) for name in fields})
