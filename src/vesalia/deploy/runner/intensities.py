"""The steps that change intensities, without torch: the same names, arguments and numbers as the components."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vesalia.deploy.runner.places import field_names
from vesalia.deploy.runner.volume import Sample, Volume, change_fields
from vesalia.errors import ConfigError

__all__ = ["CenterData", "NormalizeNonzeroIntensities", "ScaleIntensityRange"]


@dataclass(frozen=True, slots=True)
class ScaleIntensityRange:
    """Maps a range of values to another, linearly."""

    fields: str | Sequence[str]
    a_min: float
    a_max: float | None = None
    b_min: float = 0.0
    b_max: float = 1.0
    clip: bool = False
    dtype: Literal["float16", "float32", "float64"] = "float32"
    a_offset: float | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return change_fields(sample, field_names(self.fields), change=self._scale)

    def _scale(self, volume: Volume) -> Volume:
        work = np.float64 if self.dtype == "float64" else np.float32
        upper = self.a_min + self.a_offset if self.a_offset is not None else self.a_max
        if upper is None:
            raise ConfigError("a_max: found neither a_max nor a_offset, expected the upper end of the range")
        factor = (self.b_max - self.b_min) / (upper - self.a_min)
        data = volume.data.astype(work)
        data -= work(self.a_min)
        data *= work(factor)
        data += work(self.b_min)
        if self.clip:
            np.clip(data, work(min(self.b_min, self.b_max)), work(max(self.b_min, self.b_max)), out=data)
        return replace(volume, data=data.astype(self.dtype, copy=False))


@dataclass(frozen=True, slots=True)
class NormalizeNonzeroIntensities:
    """Mean 0 and standard deviation 1 over the voxels that are not 0, per channel; zeros stay 0."""

    fields: str | Sequence[str]

    def __call__(self, sample: Sample) -> Sample:
        """Normalise the fields."""
        return change_fields(sample, field_names(self.fields), change=_normalise)


def _normalise(volume: Volume) -> Volume:
    data = _floating(volume.channels)
    axes = tuple(range(1, data.ndim))
    mask = data != 0
    count = np.maximum(mask.sum(axis=axes, keepdims=True), 1)
    mean = (data.sum(axis=axes, keepdims=True, dtype=np.float64) / count).astype(data.dtype)
    centred = np.where(mask, data - mean, data.dtype.type(0))
    deviation = np.sqrt(np.square(centred).sum(axis=axes, keepdims=True, dtype=np.float64) / count).astype(data.dtype)
    centred /= np.where(deviation > 0, deviation, data.dtype.type(1))
    return volume.like_this(centred)


@dataclass(frozen=True, slots=True)
class CenterData:
    """``(x - subtrahend) / divisor``, channel by channel; mean and standard deviation where they are not given."""

    fields: str | Sequence[str]
    subtrahend: float | Sequence[float] | None = None
    divisor: float | Sequence[float] | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Centre the fields."""
        return change_fields(sample, field_names(self.fields), change=self._centre)

    def _centre(self, volume: Volume) -> Volume:
        data = _floating(volume.channels)
        axes = tuple(range(1, data.ndim))
        if self.subtrahend is None:
            subtrahend = data.mean(axis=axes, keepdims=True, dtype=np.float64).astype(data.dtype)
        else:
            subtrahend = _column(self.subtrahend, data, name="subtrahend")
        centred = data - subtrahend
        if self.divisor is None:
            deviation = data.std(axis=axes, keepdims=True, dtype=np.float64).astype(data.dtype)
            divisor = np.where(deviation > 0, deviation, data.dtype.type(1))
        else:
            divisor = _column(self.divisor, data, name="divisor")
        centred /= divisor
        return volume.like_this(centred)


def _floating(data: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return data if data.dtype.kind == "f" else data.astype(np.float32)


def _column(value: float | Sequence[float], data: npt.NDArray[Any], *, name: str) -> npt.NDArray[Any]:
    """``[C or 1, 1 ...]``, beside ``data``.

    Raises:
        ConfigError: There are several numbers, but not one per channel.
    """
    numbers = list(value) if isinstance(value, Sequence) else [value]
    if len(numbers) not in {1, len(data)}:
        message = f"{name}: found {len(numbers)} numbers for {len(data)} channels, expected 1 or {len(data)}"
        raise ConfigError(f"{message}; write {name}: {numbers[:1]}")
    return np.array(numbers, dtype=data.dtype).reshape(-1, *[1] * (data.ndim - 1))
