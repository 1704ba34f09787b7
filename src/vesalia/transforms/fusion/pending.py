"""A field on its way through a fused chain: what is to be read, and what becomes of each voxel when it is written."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vesalia.imaging.geometry import Affine, crop_affine, flip_affine
from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Volume
from vesalia.transforms.spatial.affine_sampling import about_centre, joined, mapped_affine

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


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A :class:`Rule` per batch member and channel, in float64.

    Every further linear step or clamp gives a rule of the same form, since a linear step keeps order or reverses it.

    Attributes:
        scale: ``[B, C]``.
        shift: ``[B, C]``.
        low: ``[B, C]``, ``-inf`` where nothing is cut off.
        high: ``[B, C]``, ``inf`` where nothing is cut off.
        fill: ``[B, C]``, what stands outside the source.
    """

    scale: torch.Tensor
    shift: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    fill: torch.Tensor

    @staticmethod
    def unchanged(members: int, channels: int) -> Values:
        """Voxels stay as they are, and 0 stands outside."""
        zeros = torch.zeros(members, channels, dtype=torch.float64)
        return Values(torch.ones_like(zeros), zeros, zeros - math.inf, zeros + math.inf, zeros)

    def rule(self, member: int, channel: int) -> Rule:
        """The rule of one channel of one member."""
        return Rule(*(float(each[member, channel]) for each in self.columns))

    def rows(self, count: int) -> Values:
        """One rule, for ``count`` members: what holds for a volume holds for each of its crops."""
        return Values(*(each.expand(count, -1) for each in self.columns))

    @property
    def columns(self) -> tuple[torch.Tensor, ...]:
        """The parts, in the order of the constructor."""
        return self.scale, self.shift, self.low, self.high, self.fill

    def scaled(self, scale: torch.Tensor | float, shift: torch.Tensor | float) -> Values:
        """Followed by ``x * scale + shift`` (``[B, C]``, ``[B, 1]`` or numbers)."""
        first, second = self.low * scale + shift, self.high * scale + shift
        flat = torch.as_tensor(scale) == 0  # inf * 0 is no number; all that is left is the shift
        low, high = (torch.where(flat, self.shift * 0 + shift, each) for each in (first, second))
        return Values(
            self.scale * scale,
            self.shift * scale + shift,
            torch.minimum(low, high),
            torch.maximum(low, high),
            self.fill * scale + shift,
        )

    def clamped(self, low: float, high: float) -> Values:
        """Followed by cutting off what lies outside ``low`` to ``high``."""
        return replace(
            self,
            low=self.low.clamp(low, high),
            high=self.high.clamp(low, high),
            fill=self.fill.clamp(low, high),
        )

    def cut(self) -> Values:
        """From here on 0 stands outside."""
        return replace(self, fill=torch.zeros_like(self.fill))


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
        mode: How to read between voxels then.
        window: Voxels of a window, where the result has others because it was resampled.
        kind: Number format that a step decided.
    """

    volume: Volume
    starts: torch.Tensor | None
    size: tuple[int, ...]
    axes: torch.Tensor
    values: Values | None
    batched: bool
    affine: Affine | None
    owned: bool = False
    maps: torch.Tensor | None = None
    mode: Mode = "nearest"
    window: tuple[int, ...] | None = None
    kind: torch.dtype | None = None

    @staticmethod
    def of(volume: Volume, *, owned: bool = False) -> Pending:
        """``volume``, untouched so far."""
        shape = volume.spatial_shape
        axes = torch.zeros(len(volume.as_batch()), len(shape), dtype=torch.bool)
        return Pending(volume, None, shape, axes, None, volume.batched, volume.affine, owned)

    @property
    def members(self) -> int:
        """Batch members of the result, 1 for a single volume."""
        return len(self.axes)

    @property
    def channels(self) -> int:
        """Channels of the result."""
        return int(self.volume.as_batch().shape[1])

    @property
    def is_untouched(self) -> bool:
        """Whether the result is the volume that was read."""
        return self.stays and self.values is None

    @property
    def stays(self) -> bool:
        """Whether every voxel stays where it is."""
        return self.starts is None and self.maps is None and not bool(self.axes.any())

    @property
    def covers_window(self) -> bool:
        """Whether all windows lie within what is read."""
        if self.starts is None:
            return True
        ends = self.starts + torch.tensor(self.window or self.size)
        return bool((self.starts >= 0).all()) and bool((ends <= torch.tensor(self.volume.spatial_shape)).all())

    @property
    def is_clamped(self) -> bool:
        """Whether values are cut off, so that reading between voxels before and after is not the same."""
        return self.values is not None and bool(self.values.low.isfinite().any() | self.values.high.isfinite().any())

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
        nothing = self.volume.data.new_zeros((1,) * len(shape), dtype=self.dtype).expand(shape)
        return self.finished(nothing)

    def finished(self, data: torch.Tensor) -> Volume:
        """The result as a volume, from its ``[B, C, *size]`` data."""
        return replace(self.volume, batched=self.batched, affine=self.affine).from_batch(data)

    def cut(self, starts: torch.Tensor, size: Sequence[int], *, batched: bool) -> Pending:
        """Windows: several of one volume, or one of each member; voxels must not have been moved before."""
        affine = None if batched or self.affine is None else crop_affine(self.affine, starts[0].tolist())
        values = None if self.values is None else self.values.rows(len(starts)).cut()
        axes = self.axes.new_zeros(starts.shape)
        return replace(self, starts=starts, size=tuple(size), axes=axes, values=values, batched=batched, affine=affine)

    def flipped(self, axes: torch.Tensor) -> Pending:
        """The axes of each member reversed where ``axes`` ``[B, dims]`` says so."""
        affine = self.affine
        if affine is not None:
            chosen = [axis for axis, reverse in enumerate(axes[0].tolist()) if reverse]
            affine = flip_affine(affine, chosen, shape=self.size)
        if self.maps is not None:
            return replace(self, maps=joined(self.maps, _flips(axes, self.size)), affine=affine)
        return replace(self, axes=self.axes ^ axes, affine=affine)

    def can_move(self, mode: Mode) -> bool:
        """Whether it may be read through maps at once.

        What is pending must be done first where windows reach out of the volume, or where values are cut off or were
        read in another mode.
        """
        other_mode = self.maps is not None and self.mode != mode
        return not other_mode and self.covers_window and not (mode == "linear" and self.is_clamped)

    def moved(
        self, maps: torch.Tensor, *, mode: Mode, size: Sequence[int] | None = None, batched: bool | None = None
    ) -> Pending:
        """Read through maps, which :meth:`can_move` must allow; 0 stands outside.

        Args:
            maps: ``[B, dims, dims + 1]`` from voxels of the result to voxels of what there is now.
            mode: How to read between voxels.
            size: Voxels of the result, if there are others.
            batched: Whether the result is a batch, if that changes: several readings of one volume.
        """
        before = self.maps
        if before is None and bool(self.axes.any()):
            before = _flips(self.axes, self.size)
        placed = batched is not True and self.affine is not None
        return replace(
            self,
            size=tuple(size or self.size),
            maps=maps if before is None else joined(before, maps),
            mode=mode,
            axes=self.axes.new_zeros(len(maps), self.axes.shape[1]),
            values=None if self.values is None else self.values.rows(len(maps)).cut(),
            batched=self.batched if batched is None else batched,
            affine=mapped_affine(self.affine, maps[0]) if placed and self.affine is not None else None,
            window=self.window or self.size,
        )

    def scaled(
        self, scale: torch.Tensor | float, shift: torch.Tensor | float, *, dtype: torch.dtype | None = None
    ) -> Pending:
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
