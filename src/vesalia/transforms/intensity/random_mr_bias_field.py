"""RandomMRBiasField: the slow change of brightness over an MR image that coils leave."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import Count, FieldNames, Probability
from vesalia.transforms.base import Transform, change_fields, field_names
from vesalia.transforms.parameters import between, bounds_of, chance

__all__ = ["BiasFields", "RandomMRBiasField"]


@dataclass(frozen=True, slots=True)
class BiasFields:
    """A polynomial over the image for each member.

    Attributes:
        coefficients: ``[B, degree + 1, ...]`` with an axis per spatial axis: the factor of each product of Legendre
            polynomials; products of a higher degree have 0.
    """

    coefficients: torch.Tensor


class RandomMRBiasField(Transform[BiasFields]):
    """Multiplies by the exponential of a smooth random polynomial over the image.

    Source: Van Leemput et al., 1999, doi:10.1109/42.811270.

    Args:
        fields: The fields to change; all, and all channels, by the same field.
        degree: Largest degree of the polynomial.
        coeff_range: What its coefficients are drawn between; one number c means -c to c.
        probability: How often.

    Raises:
        ConfigError: ``coeff_range`` is not one number, or two.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        degree: Count = 3,
        coeff_range: float | Sequence[float] = (-0.1, 0.1),
        probability: Probability = 0.5,
    ) -> None:
        self.fields = field_names(fields)
        self.degree = degree
        both = coeff_range if isinstance(coeff_range, Sequence) else (-abs(coeff_range), abs(coeff_range))
        self.coeff_range = bounds_of(both, name="coeff_range")
        self.probability = probability

    def draw(self, sample: Sample, generator: torch.Generator) -> BiasFields:
        """Throw the coefficients for every member."""
        first = sample[self.fields[0]]
        members, dims = len(first.as_batch()), len(first.spatial_shape)
        terms = product(range(self.degree + 1), repeat=dims)
        wanted = torch.tensor([sum(term) <= self.degree for term in terms])
        whether = chance(members, generator, probability=self.probability)
        drawn = between((members, int(wanted.sum())), generator, bounds=self.coeff_range) * whether[:, None]
        coefficients = torch.zeros(members, len(wanted))
        coefficients[:, wanted] = drawn
        return BiasFields(coefficients.view(members, *[self.degree + 1] * dims))

    def apply(self, sample: Sample, parameters: BiasFields) -> Sample:
        """Change the fields."""
        return change_fields(sample, self.fields, change=lambda volume: _change(volume, parameters.coefficients))


def _change(volume: Volume, coefficients: torch.Tensor) -> Volume:
    if not bool(coefficients.any()):
        return volume
    batch = volume.as_float_batch()
    field = coefficients.to(batch.device)
    for size in volume.spatial_shape:  # each turn trades the first axis of coefficients for an axis of voxels
        field = torch.tensordot(field, _legendre(size, field), dims=([1], [0]))
    return volume.from_batch(batch * field.exp().unsqueeze(1).to(batch.dtype))


def _legendre(size: int, field: torch.Tensor) -> torch.Tensor:
    """``[degree + 1, size]`` Legendre polynomials at ``size`` places from -1 to 1, beside ``field``."""
    places = torch.linspace(-1, 1, size, dtype=field.dtype, device=field.device)
    rows = [torch.ones_like(places), places]
    for degree in range(1, field.shape[1]):
        rows.append(((2 * degree + 1) * places * rows[-1] - degree * rows[-2]) / (degree + 1))
    return torch.stack(rows[: field.shape[1]])
