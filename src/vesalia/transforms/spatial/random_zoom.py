"""RandomZoom: larger or smaller, each axis by its own factor."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName, Positive, Probability
from vesalia.transforms.base import Invertible, Transform, members_of
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance
from vesalia.transforms.spatial.affine_sampling import about_centre, move, move_back
from vesalia.transforms.spatial.resizing import per_axis, resized, resized_back, scaled_shape

__all__ = ["RandomZoom", "Zooms"]


@dataclass(frozen=True, slots=True)
class Zooms:
    """How much larger everything is shown.

    Attributes:
        factors: ``[B, dims]``, 1 where an axis stays.
    """

    factors: torch.Tensor

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]``, see :class:`vesalia.transforms.spatial.affine_sampling.AffineMaps`."""
        return about_centre(torch.diag_embed(1 / self.factors.double()), shape)


class RandomZoom(Transform[Zooms], Invertible[Zooms], Fusible[Zooms]):
    """Zooms image and label alike, each axis by a factor of its own, above 1 to show the anatomy larger.

    The image is read linearly, the label by the nearest voxel.

    Args:
        image_field: The image.
        label_field: The label.
        lower_limits: Smallest factor, one per axis or one for all.
        upper_limits: Largest factor, one per axis or one for all.
        probability: How often.
        keep_size: Keep the size: what grows beyond it is cut off, what is missing is 0. Otherwise the size follows the
            factors, which a batch of crops cannot do.
    """

    def __init__(
        self,
        image_field: FieldName = "image",
        label_field: FieldName = "label",
        *,
        lower_limits: Positive | Sequence[Positive],
        upper_limits: Positive | Sequence[Positive],
        probability: Probability = 1.0,
        keep_size: bool = True,
    ) -> None:
        lower, upper = (tuple(each) if isinstance(each, Sequence) else (each,) for each in (lower_limits, upper_limits))
        common = max(len(lower), len(upper))
        lower, upper = (each * common if len(each) == 1 else each for each in (lower, upper))
        pairs = list(zip(lower, upper, strict=False))
        if len(pairs) not in {1, 2, 3} or len(pairs) < common or any(low <= 0 or low > high for low, high in pairs):
            message = f"lower_limits, upper_limits: found {list(lower)} and {list(upper)}, expected factors above 0, as"
            raise ConfigError(
                f"{message} many of each, none above its upper one; write [0.8, 0.8, 0.8], [1.2, 1.2, 1.2]"
            )
        self.fields = (image_field, label_field)
        self.modes: dict[str, Mode] = {image_field: "linear", label_field: "nearest"}
        self.lower_limits = tuple(low for low, _ in pairs)
        self.upper_limits = tuple(high for _, high in pairs)
        self.probability = probability
        self.keep_size = keep_size

    def draw(self, sample: Sample, generator: torch.Generator) -> Zooms:
        """A factor per member and axis."""
        members, shape = members_of(sample, self.fields)
        lower, upper = (
            torch.tensor(per_axis(each, len(shape), name="lower_limits, upper_limits"))
            for each in (self.lower_limits, self.upper_limits)
        )
        whether = chance(members, generator, probability=self.probability).unsqueeze(1)
        drawn = lower + (upper - lower) * torch.rand(members, len(shape), generator=generator)
        return Zooms(torch.where(whether, drawn, torch.ones_like(drawn)))

    def apply(self, sample: Sample, parameters: Zooms) -> Sample:
        """Zoom image and label alike."""
        if self.keep_size:
            return move(sample, parameters, modes=self.modes)
        if len(parameters.factors) > 1:
            message = "found a batch of crops, expected one volume, as keep_size is false and sizes would differ"
            raise DataError(f"{message}; write keep_size: true, or zoom before cropping")
        factors = parameters.factors[0].tolist()
        zoomed = {
            name: resized(sample[name], scaled_shape(sample[name].spatial_shape, factors), mode=mode)
            for name, mode in self.modes.items()
        }
        return sample.with_fields(**zoomed)

    @property
    def fusible(self) -> bool:
        """A size that follows the factors is not known beforehand."""
        return self.keep_size

    @property
    def resamples(self) -> bool:
        """It reads between voxels."""
        return True

    def fuse(self, work: Work, parameters: Zooms) -> None:
        """Zoom image and label alike."""
        work.move(self.modes, parameters)

    def invert(self, sample: Sample, parameters: Zooms, *, like: Sample) -> Sample:
        """Zoom back; what had grown beyond the border is 0."""
        if self.keep_size:
            return move_back(sample, parameters, modes=self.modes, like=like)
        back = {name: resized_back(sample[name], like[name], mode=mode) for name, mode in self.modes.items()}
        return sample.with_fields(**back)
