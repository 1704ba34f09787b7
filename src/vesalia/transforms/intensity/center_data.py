"""CenterData: a value taken off, and the rest divided by another."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, Nothing, change_fields, field_names
from vesalia.transforms.fusion.pending import Pending
from vesalia.transforms.fusion.work import Fusible, Work

__all__ = ["CenterData"]


class CenterData(Deterministic, Fusible[Nothing]):
    """``(x - subtrahend) / divisor``, channel by channel.

    Args:
        fields: The fields to centre.
        subtrahend: One number for all channels, or one for each; the channel's mean where it is not given.
        divisor: The same for what is divided by; the channel's standard deviation where it is not given. A channel of
            one value only is not divided.
    """

    takes_whole_numbers = True
    per_voxel = True

    def __init__(
        self,
        fields: FieldNames,
        *,
        subtrahend: float | Sequence[float] | None = None,
        divisor: float | Sequence[float] | None = None,
    ) -> None:
        self.fields = field_names(fields)
        self.subtrahend = _numbers(subtrahend)
        self.divisor = _numbers(divisor)
        if self.divisor is not None and 0 in self.divisor:
            raise ConfigError("divisor: found 0, expected another number; write divisor: 1, or leave it out")

    def transform(self, sample: Sample) -> Sample:
        """Centre the fields."""
        return change_fields(sample, self.fields, change=self._centre)

    def _centre(self, volume: Volume) -> Volume:
        batch = volume.as_float_batch()
        axes = tuple(range(2, batch.ndim))
        if self.subtrahend is None:
            centred = batch - batch.mean(dim=axes, keepdim=True)
        else:
            centred = batch - _shaped(self.subtrahend, batch, name="subtrahend")
        if self.divisor is not None:
            return volume.from_batch(centred / _shaped(self.divisor, batch, name="divisor"))
        deviation = batch.std(dim=axes, keepdim=True, correction=0)
        return volume.from_batch(centred / torch.where(deviation > 0, deviation, 1.0))

    @property
    def fusible(self) -> bool:
        """What depends on the channel's own values cannot be put off."""
        return self.subtrahend is not None and self.divisor is not None

    def fuse(self, work: Work, parameters: Nothing) -> None:
        """Centre the fields."""
        work.change(self.fields, self._pending)

    def _pending(self, pending: Pending) -> Pending:
        subtrahend, divisor = (
            _row(numbers or (), pending.channels, name=name)
            for name, numbers in (("subtrahend", self.subtrahend), ("divisor", self.divisor))
        )
        return pending.scaled(1.0 / divisor, -subtrahend / divisor)


def _numbers(value: float | Sequence[float] | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, Sequence) else (value,)


def _shaped(numbers: tuple[float, ...], batch: torch.Tensor, *, name: str) -> torch.Tensor:
    """``[1, C or 1, 1 ...]``, beside ``batch``."""
    return _row(numbers, batch.shape[1], name=name).to(batch).view(1, -1, *[1] * (batch.ndim - 2))


def _row(numbers: tuple[float, ...], channels: int, *, name: str) -> torch.Tensor:
    """``[1, C or 1]``, in float64."""
    if len(numbers) not in {1, channels}:
        message = f"{name}: found {len(numbers)} numbers for {channels} channels, expected 1 or {channels}"
        raise ConfigError(f"{message}; write {name}: {list(numbers[:1])}")
    return torch.tensor([numbers], dtype=torch.float64)
