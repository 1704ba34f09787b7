"""A field on its way through a fused chain: what is to be read, and what becomes of each voxel when it is written."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from vesalia.imaging.geometry import Affine, crop_affine, flip_affine
from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Volume
from vesalia.transforms.spatial.affine_sampling import about_centre, joined, mapped_affine
from vesalia.transforms.spatial.bends import Bends

__all__ = ["KEPT", "Pending", "Rule", "Values"]


@dataclass(frozen=True, slots=True)
class Rule:
    """``clamp(x * scale + shift, low, high)`` for the voxels of one channel, and ``fill`` outside the source."""

    scale: float
    shift: float
    low: float
    high: float
    fill: float

    @property
    def cuts(self) -> bool:
        """Whether there is a limit."""
        return self.low > -math.inf or self.high < math.inf


KEPT = Rule(1.0, 0.0, -math.inf, math.inf, 0.0)
"""Voxels stay as they are, and 0 stands outside."""
_KEPT = np.array(astuple(KEPT))[:, None, None]

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A :class:`Rule` per batch member and channel.

    Every further linear step or clamp gives a rule of the same form, since a linear step keeps order or reverses it.
    NumPy keeps them, not torch: every torch operation lets go of the interpreter, and for numbers as few as these the
    other workers' coming in between costs more than the operation.

    Attributes:
        table: ``[5, B, C]`` in float64: scale, shift, low (``-inf`` where nothing is cut off), high, and the fill that
            stands outside the source.
    """

    table: Table

    @staticmethod
    def unchanged(members: int, channels: int) -> Values:
        """Voxels stay as they are, and 0 stands outside."""
        return Values(np.broadcast_to(_KEPT, (len(_KEPT), members, channels)))

    def rules(self, member: int) -> list[Rule]:
        """The rule of each channel of one member."""
        return [Rule(*row) for row in self.table[:, member].T.tolist()]

    def rows(self, count: int) -> Values:
        """One rule, for ``count`` members: what holds for a volume holds for each of its crops."""
        rules, _, channels = self.table.shape
        return Values(np.broadcast_to(self.table, (rules, count, channels)))

    @property
    def limited(self) -> bool:
        """Whether anything is cut off."""
        return bool(np.isfinite(self.table[2:4]).any())

    def scaled(self, scale: npt.ArrayLike, shift: npt.ArrayLike) -> Values:
        """Followed by ``x * scale + shift`` (``[B, C]``, ``[B, 1]`` or numbers)."""
        factor, added = np.asarray(scale, np.float64), np.asarray(shift, np.float64)
        with np.errstate(invalid="ignore"):  # inf * 0, which is put right below
            table = self.table * factor
        table[1:] += added
        limits = table[2:4]
        if (factor <= 0).any():
            limits[:] = np.where(factor == 0, added, limits)  # all that is left is the shift
            limits.sort(axis=0)
        return Values(table)

    def clamped(self, low: float, high: float) -> Values:
        """Followed by cutting off what lies outside ``low`` to ``high``."""
        table = self.table.copy()
        table[2:] = table[2:].clip(low, high)
        return Values(table)

    def cut(self) -> Values:
        """From here on 0 stands outside."""
        table = self.table.copy()
        table[-1] = 0.0
        return Values(table)


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A field of which nothing was computed yet since it was read.

    Attributes:
        volume: What is read: one volume, or a batch.
        starts: ``[B, dims]`` first voxels of the windows, perhaps outside; None for all of ``volume``.
        size: Voxels of the result.
        axes: ``[B, dims]`` booleans, the axes that are reversed; used up by ``maps`` where there are some.
        values: What becomes of a voxel; None while it is kept as it is, to the bit.
        batched: Whether the result is a batch.
        affine: Where the result lies, if it is one volume that knows its place.
        owned: Whether the data of ``volume`` belongs to this chain, which then may change it in place.
        maps: ``[B, dims, dims + 1]``, from voxels of the result to voxels of the window, where it is resampled.
        bends: What is added to the places that the maps read, in voxels of the window.
        mode: How to read between voxels then.
        window: Voxels of a window, where the result has others because it was resampled.
        kind: Number format that a step decided.
    """

    volume: Volume
    starts: npt.NDArray[np.int64] | None
    size: tuple[int, ...]
    axes: npt.NDArray[np.bool_]
    values: Values | None
    batched: bool
    affine: Affine | None
    owned: bool = False
    maps: torch.Tensor | None = None
    bends: Bends | None = None
    mode: Mode = "nearest"
    window: tuple[int, ...] | None = None
    kind: torch.dtype | None = None

    @staticmethod
    def of(volume: Volume, *, owned: bool = False) -> Pending:
        """``volume``, untouched so far."""
        shape = volume.spatial_shape
        axes = np.zeros((len(volume.data) if volume.batched else 1, len(shape)), bool)
        return Pending(volume, None, shape, axes, None, volume.batched, volume.affine, owned)

    @property
    def members(self) -> int:
        """Batch members of the result, 1 for a single volume."""
        return len(self.axes)

    @property
    def channels(self) -> int:
        """Channels of the result."""
        kind, shape = self.volume.channel, self.volume.data.shape
        return 1 if kind == "none" else int(shape[-1] if kind == "last" else shape[1 if self.volume.batched else 0])

    @property
    def read_size(self) -> tuple[int, ...]:
        """Voxels of a window that is read."""
        return self.window or self.size

    def rules(self, member: int) -> Sequence[Rule | None]:
        """What becomes of the voxels of each channel of one member; None where they are kept to the bit."""
        return [None] * self.channels if self.values is None else self.values.rules(member)

    @property
    def is_untouched(self) -> bool:
        """Whether the result is the volume that was read."""
        return self.stays and self.values is None

    @property
    def stays(self) -> bool:
        """Whether every voxel stays where it is."""
        return self.starts is None and self.maps is None and not self.axes.any()

    @property
    def covers_window(self) -> bool:
        """Whether all windows lie within what is read."""
        if self.starts is None:
            return True
        ends = self.starts + np.array(self.read_size)
        return bool((self.starts >= 0).all() and (ends <= np.array(self.volume.spatial_shape)).all())

    @property
    def is_clamped(self) -> bool:
        """Whether values are cut off, so that reading between voxels before and after is not the same."""
        return self.values is not None and self.values.limited

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the result: whole numbers that are computed with become float32."""
        if self.kind is not None:
            return self.kind
        found = self.volume.data.dtype
        computed = self.values is not None or (self.maps is not None and self.mode == "linear")
        return torch.float32 if computed and not found.is_floating_point else found

    def stand_in(self) -> Volume:
        """A volume of the result's shape and layout that holds no memory, for what only asks for shapes."""
        shape = (self.members, self.channels, *self.size)
        return self.finished(_nothing(self.dtype, self.volume.data.device).expand(shape))

    def finished(self, data: torch.Tensor) -> Volume:
        """The result as a volume, from its ``[B, C, *size]`` data."""
        whole = self.volume
        return Volume(data, self.affine, whole.channel, self.batched, whole.source).from_batch(data)

    def cut(self, starts: torch.Tensor, size: Sequence[int], *, batched: bool) -> Pending:
        """Windows: several of one volume, or one of each member; voxels must not have been moved before."""
        places: npt.NDArray[np.int64] = starts.numpy()
        affine = None if batched or self.affine is None else crop_affine(self.affine, places[0].tolist())
        values = None if self.values is None else self.values.rows(len(places)).cut()
        axes = np.zeros(places.shape, bool)
        return replace(self, starts=places, size=tuple(size), axes=axes, values=values, batched=batched, affine=affine)

    def flipped(self, axes: torch.Tensor) -> Pending:
        """The axes of each member reversed where ``axes`` ``[B, dims]`` says so."""
        affine = self.affine
        if affine is not None:
            chosen = [axis for axis, reverse in enumerate(axes[0].tolist()) if reverse]
            affine = flip_affine(affine, chosen, shape=self.size)
        if self.maps is not None:
            flips = _flips(axes, self.size)
            bends = None if self.bends is None else self.bends.seen_through(flips)
            return replace(self, maps=joined(self.maps, flips), bends=bends, affine=affine)
        return replace(self, axes=self.axes ^ axes.numpy(), affine=affine)

    def can_move(self, mode: Mode, *, bent: bool = False) -> bool:
        """Whether it may be read through maps at once, ``bent`` or not.

        What is pending must be done first where windows reach out of the volume, where values are cut off or were read
        in another mode, or where it was bent before.
        """
        other_mode = self.maps is not None and self.mode != mode
        bent_twice = bent and self.bends is not None
        return not other_mode and not bent_twice and self.covers_window and not (mode == "linear" and self.is_clamped)

    def moved(
        self,
        maps: torch.Tensor,
        *,
        mode: Mode,
        size: Sequence[int] | None = None,
        batched: bool | None = None,
        bends: Bends | None = None,
    ) -> Pending:
        """Read through maps, which :meth:`can_move` must allow; 0 stands outside.

        Args:
            maps: ``[B, dims, dims + 1]`` from voxels of the result to voxels of what there is now.
            mode: How to read between voxels.
            size: Voxels of the result, if there are others.
            batched: Whether the result is a batch, if that changes: several readings of one volume.
            bends: What is added to the places, in voxels of what there is now; displacements for each map.
        """
        before = self.maps
        if before is None and self.axes.any():
            before = _flips(torch.from_numpy(self.axes), self.size)
        if self.bends is not None:
            bends = self.bends.seen_through(maps)
        elif bends is not None and before is not None:
            bends = bends.led_on(before)
        placed = batched is not True and self.affine is not None
        return replace(
            self,
            size=tuple(size or self.size),
            maps=maps if before is None else joined(before, maps),
            bends=bends,
            mode=mode,
            axes=np.zeros((len(maps), self.axes.shape[1]), bool),
            values=None if self.values is None else self.values.rows(len(maps)).cut(),
            batched=self.batched if batched is None else batched,
            affine=mapped_affine(self.affine, maps[0]) if placed and self.affine is not None else None,
            window=self.read_size,
        )

    def scaled(self, scale: npt.ArrayLike, shift: npt.ArrayLike, *, dtype: torch.dtype | None = None) -> Pending:
        """Every voxel times ``scale`` plus ``shift``: numbers, ``[B, 1]`` or ``[B, C]``.

        Args:
            scale: The factors.
            shift: What is added.
            dtype: Number format of the result, if the step decides it.
        """
        return replace(self, values=self._values.scaled(scale, shift), kind=dtype or self.kind)

    def clamped(self, low: float, high: float) -> Pending:
        """Every voxel cut off at ``low`` and ``high``."""
        return replace(self, values=self._values.clamped(low, high))

    @property
    def _values(self) -> Values:
        return Values.unchanged(self.members, self.channels) if self.values is None else self.values


def _flips(axes: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """``[B, dims, dims + 1]``: reversed axes as maps."""
    return about_centre(torch.diag_embed(1.0 - 2.0 * axes.double()), size)


@lru_cache(maxsize=64)
def _nothing(dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """What stands in for voxels."""
    return torch.zeros((), dtype=dtype, device=device)
