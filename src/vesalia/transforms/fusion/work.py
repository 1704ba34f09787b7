"""A sample on its way through a fused chain, and what a transform must say to take part."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import torch

from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.fusion.passes import write
from vesalia.transforms.fusion.pending import Pending
from vesalia.transforms.spatial.affine_sampling import AffineMaps
from vesalia.transforms.spatial.bends import Bends

__all__ = ["FRESH", "Fresh", "Fusible", "Room", "Work"]

Parameters = TypeVar("Parameters")


class Room(Protocol):
    """Where results are written: memory of a batch, or new memory."""

    def take(self, name: str, shape: Sequence[int], *, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Memory for the field ``name``: of this shape and type, on the device of ``like``, its content undefined."""


class Fresh:
    """New memory for every result."""

    def take(self, name: str, shape: Sequence[int], *, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Allocate."""
        return torch.empty(tuple(shape), dtype=dtype, device=like.device)


FRESH = Fresh()


@dataclass(slots=True)
class Work:
    """The fields of a sample, each with what is still to be done to it.

    Attributes:
        sample: The sample that came in.
        room: Where results are written.
        fields: Field name to what is pending.
    """

    sample: Sample
    room: Room = FRESH
    fields: dict[str, Pending] = field(default_factory=dict)
    _shown: dict[str, tuple[Pending, Volume]] = field(default_factory=dict)
    """The stand-ins, and what they stand in for."""

    @staticmethod
    def on(sample: Sample, room: Room = FRESH) -> Work:
        """Nothing done yet."""
        return Work(sample, room, {name: Pending.of(volume) for name, volume in sample.fields.items()})

    def look_at(self, names: Sequence[str]) -> None:
        """Do what is pending for fields whose voxels are wanted."""
        for name in names:
            if not self.pending(name).is_untouched:
                self.settle(name)

    def stand_in(self) -> Sample:
        """A sample of the shapes to come, for ``draw``: untouched fields as they are, the others without data."""
        for name, pending in self.fields.items():
            if name not in self._shown or self._shown[name][0] is not pending:
                self._shown[name] = pending, pending.volume if pending.is_untouched else pending.stand_in()
        return self.sample.with_fields(**{name: shown for name, (_, shown) in self._shown.items()})

    def change(self, names: Sequence[str], step: Callable[[Pending], Pending]) -> None:
        """Have one more thing done to some fields."""
        for name in names:
            self.fields[name] = step(self.pending(name))

    def cut(self, names: Sequence[str], starts: torch.Tensor, *, size: Sequence[int], batched: bool) -> None:
        """Cut the same windows out of some fields; what moved voxels before is done first."""
        for name in names:
            if not self.pending(name).stays:
                self.settle(name)
            self.fields[name] = self.fields[name].cut(starts, size, batched=batched)

    def move(
        self,
        names: Mapping[str, Mode],
        parameters: AffineMaps,
        *,
        size: Sequence[int] | None = None,
        batched: bool | None = None,
        bends: Bends | None = None,
    ) -> None:
        """Read some fields through the maps of ``parameters``, each in its mode.

        Args:
            names: Field name to mode.
            parameters: The maps.
            size: Voxels of the result, if there are others; the maps then lead from a result of this size.
            batched: Whether the result is a batch, if that changes.
            bends: What is added to the places that are read, displacements for each map.
        """
        for name, mode in names.items():
            shown = self.pending(name).stand_in()
            maps = parameters.matrices(size or shown.spatial_shape, spacing_mm=shown.spacing_mm)
            if not self.fields[name].can_move(mode, bent=bends is not None):
                self.settle(name)
            self.fields[name] = self.fields[name].moved(maps, mode=mode, size=size, batched=batched, bends=bends)

    def settle(self, name: str) -> torch.Tensor:
        """Do what is pending for a field: ``[B, C, *spatial]`` data that belongs to this chain, to change in place."""
        pending = self.pending(name)
        if not (pending.owned and pending.is_untouched):
            data = self._written(name, pending)
            self.fields[name] = Pending.of(pending.finished(data), owned=True)
        return self.fields[name].volume.as_batch()

    def finish(self) -> Sample:
        """Do all that is pending; fields with nothing pending are passed on as they came."""
        for name, pending in self.fields.items():
            if not pending.is_untouched:
                self.settle(name)
        return self.sample.with_fields(**{name: pending.volume for name, pending in self.fields.items()})

    def pending(self, name: str) -> Pending:
        """What is still to be done to a field.

        Raises:
            DataError: There is none of that name.
        """
        if name not in self.fields:
            return Pending.of(self.sample[name])  # raises, and says what there is
        return self.fields[name]

    def _written(self, name: str, pending: Pending) -> torch.Tensor:
        source = pending.volume.data
        if pending.owned and pending.stays and source.dtype == pending.dtype:
            data = pending.volume.as_batch()
        else:
            shape = (pending.members, pending.channels, *pending.size)
            data = self.room.take(name, shape, like=source, dtype=pending.dtype)
        write(pending, data)
        return data


class Fusible(ABC, Generic[Parameters]):
    """A transform whose work can be put off and done together with its neighbours'; a mixin beside ``Transform``.

    The result is that of ``apply`` with the same parameters, but for rounding.

    Attributes:
        per_voxel: Whether it is a linear step without dice on each voxel alone: the whole volume need not be there.
    """

    per_voxel: bool = False

    @property
    def fusible(self) -> bool:
        """Whether this one, with its arguments, takes part."""
        return True

    @property
    def looks_at(self) -> tuple[str, ...]:
        """Fields whose voxels ``draw`` looks at; of the others it sees shapes alone."""
        return ()

    @property
    def resamples(self) -> bool:
        """Whether voxels are read between voxels, for which the loops are to be compiled."""
        return False

    @property
    def is_bent(self) -> bool:
        """Whether that is done along bent lines, for which there are other loops."""
        return False

    @abstractmethod
    def fuse(self, work: Work, parameters: Parameters) -> None:
        """Say to ``work`` what ``apply`` would do."""
