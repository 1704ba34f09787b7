"""CropRandomSizeWithDisplacement: a window of random size, not far from the middle."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, NonNegative, Positive
from vesalia.transforms.base import Invertible, Transform, change_fields, field_names
from vesalia.transforms.crop.window import around, cut, put_fields_back, single_shape
from vesalia.transforms.spatial.resizing import per_axis

__all__ = ["CropRandomSizeWithDisplacement", "SizedWindows"]


@dataclass(frozen=True, slots=True)
class SizedWindows:
    """Where windows begin, and how large they are.

    Attributes:
        starts: ``[B, dims]`` voxel indices of the first voxel.
        sizes: ``[B, dims]`` voxels.
    """

    starts: torch.Tensor
    sizes: torch.Tensor


class CropRandomSizeWithDisplacement(Transform[SizedWindows], Invertible[SizedWindows]):
    """Cuts a window of a size between ``lower_size`` and the whole volume, every size as likely as the others.

    Sizes differ from item to item: a scaling to one shape comes after it.

    Args:
        fields: The fields to crop, all at the same place.
        lower_size: Smallest size: voxels, one number per axis or one for all; numbers of up to 1 are shares of the
            volume. A volume that is smaller is padded with 0.
        max_displacement: How many voxels the window's middle may lie from the volume's along each axis, one number per
            axis or one for all; windows stay inside. Without it they may lie anywhere.
        keep_aspect: Keep the proportions of the volume.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        lower_size: Positive | Sequence[Positive],
        max_displacement: NonNegative | Sequence[NonNegative] | None = None,
        keep_aspect: bool = False,
    ) -> None:
        self.fields = field_names(fields)
        self.lower_size = tuple(lower_size) if isinstance(lower_size, Sequence) else (lower_size,)
        self.max_displacement = (
            tuple(max_displacement)
            if isinstance(max_displacement, Sequence)
            else (float("inf") if max_displacement is None else max_displacement,)
        )
        self.keep_aspect = keep_aspect
        if len(self.lower_size) not in {1, 2, 3} or min(self.lower_size) <= 0:
            message = f"lower_size: found {list(self.lower_size)}, expected 1 to 3 numbers above 0"
            raise ConfigError(f"{message}; write [64, 64, 64]")
        if len(self.max_displacement) not in {1, 2, 3} or min(self.max_displacement) < 0:
            message = f"max_displacement: found {list(self.max_displacement)}, expected 1 to 3 numbers of 0 or more"
            raise ConfigError(f"{message}; write 10")

    def draw(self, sample: Sample, generator: torch.Generator) -> SizedWindows:
        """Choose a size, then a place."""
        shape = single_shape(sample, self.fields, size=sample[self.fields[0]].spatial_shape)
        throws = torch.rand(2, len(shape), generator=generator, dtype=torch.float64).tolist()
        sizes = self._sizes(shape, throws[0])
        reaches = per_axis(self.max_displacement, len(shape), name="max_displacement")
        starts = around([whole // 2 for whole in shape], sizes, shape=shape)
        for axis, (size, whole, reach, throw) in enumerate(zip(sizes, shape, reaches, throws[1], strict=True)):
            if size < whole:
                low = max(0, starts[axis] - int(min(reach, whole)))
                high = min(whole - size, starts[axis] + int(min(reach, whole)))
                starts[axis] = low + int(throw * (high - low + 1))
        return SizedWindows(torch.tensor([starts]), torch.tensor([sizes]))

    def apply(self, sample: Sample, parameters: SizedWindows) -> Sample:
        """Cut the same window out of all fields."""
        start, size = parameters.starts[0].tolist(), parameters.sizes[0].tolist()
        return change_fields(sample, self.fields, change=lambda volume: cut(volume, start, size=size))

    def invert(self, sample: Sample, parameters: SizedWindows, *, like: Sample) -> Sample:
        """Put the window back where it was cut."""
        return put_fields_back(sample, parameters.starts, fields=self.fields, like=like)

    def _sizes(self, shape: Sequence[int], throws: Sequence[float]) -> list[int]:
        given = per_axis(self.lower_size, len(shape), name="lower_size")
        shares = max(given) <= 1
        lower = [each * whole if shares else each for each, whole in zip(given, shape, strict=True)]
        if self.keep_aspect:
            least = max(size / whole for size, whole in zip(lower, shape, strict=True))
            share = least + throws[0] * (max(1.0, least) - least)
            return [max(1, round(share * whole)) for whole in shape]
        smallest = [max(1, round(size)) for size in lower]
        return [
            size + int(throw * (max(whole - size, 0) + 1))
            for size, whole, throw in zip(smallest, shape, throws, strict=True)
        ]
