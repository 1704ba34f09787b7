"""What a transform is: dice thrown in ``draw``, work done in ``apply``, the same work for one item or a batch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume

__all__ = [
    "NOTHING",
    "Deterministic",
    "Invertible",
    "Nothing",
    "Transform",
    "change_fields",
    "field_names",
    "members_of",
]

Parameters = TypeVar("Parameters")


def field_names(fields: str | Sequence[str]) -> tuple[str, ...]:
    """``fields`` as v3 configs write it: one name, a comma string, or a list of names."""
    names = fields.split(",") if isinstance(fields, str) else fields
    return tuple(name.strip() for name in names)


def change_fields(sample: Sample, fields: Sequence[str], *, change: Callable[[Volume], Volume]) -> Sample:
    """A copy of ``sample`` whose ``fields`` went through ``change``."""
    return sample.with_fields(**{name: change(sample[name]) for name in fields})


def members_of(sample: Sample, fields: Sequence[str]) -> tuple[int, tuple[int, ...]]:
    """Batch members and spatial shape, which must be the same for all ``fields``: they get the same geometry.

    Raises:
        DataError: They differ.
    """
    first = sample[fields[0]]
    found = (len(first.as_batch()), first.spatial_shape)
    for name in fields[1:]:
        other = sample[name]
        if (len(other.as_batch()), other.spatial_shape) != found:
            message = f"found {name!r} of shape {other.spatial_shape}, expected {found[1]} as {fields[0]!r} has"
            raise DataError(f"{message}; check that image and label belong together")
    return found


class Transform(ABC, Generic[Parameters]):
    """A step that a sample takes.

    A transform never changes a volume in place: cached items are shared between epochs and threads.

    Attributes:
        deterministic: False for steps that throw dice; they end the cacheable prefix of a chain. A step whose
            arguments take its dice away sets it in its constructor.
        takes_whole_numbers: Whether values that are whole may come as uint8 or int16 in place of float32: the result
            has the same values, though perhaps in these types, too.
        changes_values: Whether voxels of its fields may get other values; None where they may unless the step is
            :class:`Invertible`, and so moves them only.
    """

    deterministic: bool = False
    takes_whole_numbers: bool = False
    changes_values: bool | None = None

    @property
    def called(self) -> str:
        """What messages call it; an adapter says what it adapts."""
        return type(self).__name__

    def prepare(self, sample: Sample) -> Sample:
        """Do, once per item, the work that does not depend on the dice (called before an item is cached)."""
        return sample

    @abstractmethod
    def draw(self, sample: Sample, generator: torch.Generator) -> Parameters:
        """Throw the dice for ``sample``; what fell is plain data, a row per batch member."""

    @abstractmethod
    def apply(self, sample: Sample, parameters: Parameters) -> Sample:
        """Do the work with the given parameters; the same parameters give the same result on any device."""

    def __call__(self, sample: Sample, generator: torch.Generator) -> Sample:
        """Draw, then apply."""
        return self.apply(sample, self.draw(sample, generator))


class Invertible(ABC, Generic[Parameters]):
    """A transform whose change of place can be undone; a mixin beside :class:`Transform`."""

    @abstractmethod
    def invert(self, sample: Sample, parameters: Parameters, *, like: Sample) -> Sample:
        """Put the transform's fields back where they came from.

        Labels are read by the nearest voxel, images linearly; what ``apply`` cut away is 0.

        Args:
            sample: What ``apply(like, parameters)`` gave; its voxels may have changed since, their places not.
            parameters: What ``draw`` drew for it.
            like: The sample before the transform; only shapes, affines and layouts are asked for.
        """


@dataclass(frozen=True, slots=True)
class Nothing:
    """The parameters of a transform without dice."""


NOTHING = Nothing()


class Deterministic(Transform[Nothing]):
    """A transform without dice: its result depends on the sample alone, so it may be cached."""

    deterministic: bool = True

    def draw(self, sample: Sample, generator: torch.Generator) -> Nothing:
        """Nothing to draw."""
        return NOTHING

    @abstractmethod
    def transform(self, sample: Sample) -> Sample:
        """Do the work."""

    def apply(self, sample: Sample, parameters: Nothing) -> Sample:
        """Do the work; there are no parameters."""
        return self.transform(sample)
