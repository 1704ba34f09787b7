"""AddExtremePointsChannel: where an object ends along each axis, as one more channel of the image."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName, NonNegative, Positive
from vesalia.transforms.base import Transform, members_of
from vesalia.transforms.parameters import uniform
from vesalia.transforms.points.extremes import extreme_points, gaussians_around
from vesalia.transforms.spatial.layouts import layout_for_channels

__all__ = ["AddExtremePointsChannel", "Shifts"]

_TYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, slots=True)
class Shifts:
    """How inexactly the points are set.

    Attributes:
        voxels: ``[B, 2 * dims, dims]`` whole numbers, added to the points.
    """

    voxels: torch.Tensor


class AddExtremePointsChannel(Transform[Shifts]):
    """Adds a channel with a Gaussian around each extreme point of the label, as annotation networks read it.

    The extreme points are, for each axis, a voxel of the first and of the last slice that the label reaches. A label
    without foreground gives a channel of ``rescale_min``.

    Source: Roth et al., Going to Extremes, 2020, arXiv:2009.11988.

    Args:
        image_field: The image that gets the channel, behind its own.
        label_field: The label; whatever is above 0 is the object.
        dtype: The type of the channel.
        sigma: Standard deviation of the Gaussians, in voxels.
        permutation: By how many voxels, at most, points are moved along each axis, as people's clicks are; 0 throws no
            dice, so that the result can be cached.
        rescale_min: The channel's smallest value.
        rescale_max: The channel's largest value.
        points_channel_field: A field that gets the channel in place of the image.
    """

    def __init__(
        self,
        image_field: FieldName,
        label_field: FieldName,
        *,
        dtype: Literal["float16", "float32", "float64"] = "float32",
        sigma: Positive = 3.0,
        permutation: NonNegative = 0.0,
        rescale_min: float = -1.0,
        rescale_max: float = 1.0,
        points_channel_field: FieldName | None = None,
    ) -> None:
        self.image_field = image_field
        self.label_field = label_field
        self.dtype = dtype
        self.sigma = sigma
        self.permutation = permutation
        self.rescale_min = rescale_min
        self.rescale_max = rescale_max
        self.points_channel_field = points_channel_field
        self.deterministic = permutation == 0

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that gets the channel."""
        return (self.points_channel_field or self.image_field,)

    def draw(self, sample: Sample, generator: torch.Generator) -> Shifts:
        """Throw a shift for every point."""
        members, shape = members_of(sample, (self.image_field, self.label_field))
        size = (members, 2 * len(shape), len(shape))
        if self.deterministic:
            return Shifts(torch.zeros(size, dtype=torch.long))
        return Shifts(uniform(size, generator, reach=self.permutation).round().long())

    def apply(self, sample: Sample, parameters: Shifts) -> Sample:
        """Add the channel."""
        image, label = sample[self.image_field], sample[self.label_field]
        points, there = extreme_points((label.as_batch() > 0).any(dim=1))
        largest = torch.tensor(image.spatial_shape, device=points.device) - 1
        points = (points + parameters.voxels.to(points.device)).clamp_min(0).minimum(largest)
        shown = gaussians_around(points, there, shape=image.spatial_shape, sigma_voxels=self.sigma)
        channel = self._rescale(shown).to(_TYPES[self.dtype])
        if self.points_channel_field is not None:
            return sample.with_fields(**{self.points_channel_field: layout_for_channels(image).from_batch(channel)})
        batch = torch.cat([image.as_batch(), channel.to(image.data.device)], dim=1)
        return sample.with_fields(**{self.image_field: layout_for_channels(image).from_batch(batch)})

    def _rescale(self, shown: torch.Tensor) -> torch.Tensor:
        axes = tuple(range(2, shown.ndim))
        low, high = shown.amin(dim=axes, keepdim=True), shown.amax(dim=axes, keepdim=True)
        share = (shown - low) / torch.where(high > low, high - low, 1.0)
        return share * (self.rescale_max - self.rescale_min) + self.rescale_min
