"""FetchExtremePoints: points that a person clicked, as a label for the transforms that follow."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import index_map
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldName
from vesalia.transforms.base import Deterministic

__all__ = ["FetchExtremePoints"]


class FetchExtremePoints(Deterministic):
    """Makes a label that is 1 at each point and 0 elsewhere, on the grid that the image has by now.

    The points are voxel indices in the image's file; resampling, crops and flips since then are followed. A point
    that lies outside by now counts for the nearest voxel.

    Args:
        image_field: The image.
        label_field: The field that is made.
        points: The field that holds the points: ``[P, dims]`` numbers, or the same in one row.
    """

    def __init__(
        self, image_field: FieldName = "image", label_field: FieldName = "label", points: FieldName = "points"
    ) -> None:
        self.image_field = image_field
        self.label_field = label_field
        self.points = points

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that is made."""
        return (self.label_field,)

    def transform(self, sample: Sample) -> Sample:
        """Make the label.

        Raises:
            DataError: The numbers are no points of this image.
        """
        image = sample[self.image_field]
        shape = image.spatial_shape
        numbers = sample[self.points].data.detach().cpu().double().flatten()
        if not len(numbers) or len(numbers) % len(shape):
            message = f"{sample.name}: found {len(numbers)} numbers in {self.points!r}, expected {len(shape)} per point"
            raise DataError(f"{message}; give the voxel indices of each point")
        placed = np.rint(_now(image, numbers.reshape(-1, len(shape)).numpy())).astype(np.int64)
        places = np.ravel_multi_index(tuple(placed.T), shape, mode="clip")
        batch = image.as_batch()
        mask = torch.zeros(len(batch), math.prod(shape), dtype=torch.uint8)
        mask[:, torch.from_numpy(places)] = 1
        made = image.from_batch(mask.view(-1, 1, *shape).to(batch.device))
        return sample.with_fields(**{self.label_field: made})


def _now(image: Volume, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Points of the image's file, on the grid that the image has by now."""
    if image.source is None or image.affine is None:
        return points
    matrix, offset = index_map(image.grid, image.source.grid)
    return np.asarray(points @ matrix.T + offset)
