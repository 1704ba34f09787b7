"""SymmetricPadderDiv: zeros on both sides until the size can be divided."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F

from vesalia.errors import ConfigError
from vesalia.imaging.geometry import crop_affine
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["SymmetricPadderDiv"]


class SymmetricPadderDiv(Deterministic):
    """Pads with 0 on both sides (the odd voxel goes to the end) so that each size is a multiple of ``div_int``.

    Args:
        fields: The fields to pad.
        div_int: The divisor, one for all axes or one per axis.
    """

    def __init__(self, fields: FieldNames, *, div_int: int | Sequence[int]) -> None:
        divisors = (div_int,) if isinstance(div_int, int) else tuple(div_int)
        if not divisors or min(divisors) < 1:
            raise ConfigError(f"div_int: found {div_int}, expected whole numbers of 1 or more; write 16")
        self.fields = field_names(fields)
        self.div_int = divisors

    def transform(self, sample: Sample) -> Sample:
        """Pad the fields."""
        return change_fields(sample, self.fields, change=self._pad)

    def _pad(self, volume: Volume) -> Volume:
        shape = volume.spatial_shape
        divisors = self.div_int * len(shape) if len(self.div_int) == 1 else self.div_int[: len(shape)]
        missing = [-size % divisor for size, divisor in zip(shape, divisors, strict=True)]
        if not any(missing):
            return volume
        before = [count // 2 for count in missing]
        sides = [side for axis in reversed(range(len(shape))) for side in (before[axis], missing[axis] - before[axis])]
        affine = None if volume.affine is None else crop_affine(volume.affine, [-count for count in before])
        return volume.from_batch(F.pad(volume.as_batch(), sides), affine=affine)
