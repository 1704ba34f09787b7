"""In which form a cache keeps items: whole numbers as such, in a half or a quarter of the bytes, at no loss.

What the deterministic part of a chain gives is float32. Most of it began as whole numbers, those of a CT for one, and
a linear step made fractions of them. That step waits behind the cache: in the one pass that cuts and turns a crop it
costs next to nothing. What comes out is the same, to rounding.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, Literal

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.verify import LABEL
from vesalia.runtime.seeds import generator
from vesalia.transforms.base import Deterministic, Nothing, Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.load.load_nifti import LoadNifti

__all__ = ["CacheType", "StoredForm"]

CacheType = Literal["auto", "float32", "float16"]

_WIDER = "float32 again: "
"""Marks, in what is prepared for an item, a field that is kept in another type than float32."""
_WAITING = "steps that wait"
"""Marks an item for which the steps that may wait are still to be done."""
_MARK = torch.empty(0)
_LOOKED_AT = 4096
_HALF_LIMIT = 65504.0


@dataclass(frozen=True, slots=True)
class StoredForm:
    """How a chain is split for a cache, and how items are kept in it.

    Attributes:
        prefix: What is done before an item is kept.
        waiting: Per-voxel steps at the end of the deterministic part that may wait behind the cache.
        kind: ``auto`` keeps whole numbers as such, ``float16`` rounds to halves, ``float32`` changes nothing.
        whole: Fields that are loaded as whole numbers where the chain means float32.
        looked_at: Fields that the next step looks at as a whole; they are kept as the chain gives them.
    """

    prefix: Compose
    waiting: Compose = field(default_factory=lambda: Compose([]))
    kind: CacheType = "float32"
    whole: frozenset[str] = frozenset()
    looked_at: frozenset[str] = frozenset()

    @staticmethod
    def split(prefix: Compose, augment: Compose, *, kind: CacheType) -> StoredForm:
        """Decide which steps may wait, and what may be loaded as whole numbers.

        Args:
            prefix: The deterministic part of the chain.
            augment: The rest; its first steps must be ones that are done in one pass for anything to wait.
            kind: What was asked for.
        """
        first = tuple(takewhile(_is_fused, augment.transforms))
        if kind == "float32" or (kind == "auto" and augment.transforms and not first):
            return StoredForm(prefix)
        looked_at = frozenset(name for step in first if isinstance(step, Fusible) for name in step.looks_at) - {LABEL}
        if kind == "float16":
            return StoredForm(prefix, kind=kind, looked_at=looked_at)
        unable = {LABEL, *looked_at}
        steps = list(prefix.transforms)
        waiting: list[Transform[Any]] = []
        while steps and _may_wait(steps[-1]) and unable.isdisjoint(_fields(steps[-1])):
            waiting.insert(0, steps.pop())
        steps, whole = _loading_whole(steps)
        return StoredForm(Compose(steps), Compose(waiting), kind, whole, looked_at)

    @property
    def restoring(self) -> tuple[Transform[Any], ...]:
        """The steps behind the cache that bring an item back to what the chain means."""
        if self.kind == "float32":
            return ()
        return (_Widened(), *(_Waited(step) for step in self.waiting.transforms))

    def compact(self, sample: Sample) -> Sample:
        """An item in the form in which it is kept."""
        if self.kind == "float32":
            return sample
        smaller = {
            name: data for name, volume in sample.fields.items() if (data := self._smaller(name, volume)) is not None
        }
        touched = {name for step in self.waiting.transforms for name in _fields(step)}
        waits = bool(touched) and touched <= smaller.keys()
        if touched and not waits:
            meant = {name: _with(sample[name], sample[name].data.float()) for name in touched & self.whole}
            sample = self.waiting(sample.with_fields(**meant), generator(0))
            smaller = {name: data for name, data in smaller.items() if name not in touched}
        meant = {
            name: _with(volume, volume.data.float())
            for name, volume in sample.fields.items()
            if name in self.whole
            and name not in smaller
            and _is_whole(volume.data)
            and not _is_compact_label(name, volume)
        }
        kept = {name: _with(sample[name], data) for name, data in smaller.items()}
        marks = {_WIDER + name: _MARK for name in smaller} | ({_WAITING: _MARK} if waits else {})
        return replace(sample.with_fields(**meant, **kept), prepared={**sample.prepared, **marks})

    def _smaller(self, name: str, volume: Volume) -> torch.Tensor | None:
        """The data in fewer bytes, None where it stays."""
        data = volume.data
        if name == LABEL or name in self.looked_at or not volume.spatial_shape:
            return None
        if self.kind == "float16":
            fits = data.dtype == torch.float32 and float(data.abs().max()) <= _HALF_LIMIT
            return data.half() if fits else None
        if _is_whole(data):
            return data if name in self.whole else None
        return _as_whole(data) if data.dtype == torch.float32 else None


def _with(volume: Volume, data: torch.Tensor) -> Volume:
    return replace(volume, data=data)


def _is_fused(step: Transform[Any]) -> bool:
    return isinstance(step, Fusible) and step.fusible


def _may_wait(step: Transform[Any]) -> bool:
    return isinstance(step, Fusible) and step.fusible and step.per_voxel


def _fields(step: Transform[Any]) -> Sequence[str]:
    fields: Sequence[str] = getattr(step, "fields", ())
    return fields


def _loading_whole(steps: Sequence[Transform[Any]]) -> tuple[list[Transform[Any]], frozenset[str]]:
    """The steps, loading whole numbers as such if all the others can take them, and the fields that this concerns."""
    loaders = [step for step in steps if isinstance(step, LoadNifti)]
    others = [step for step in steps if not isinstance(step, LoadNifti)]
    if not all(step.takes_whole_numbers for step in others):
        return list(steps), frozenset()
    loading = [step.keeping_whole() if isinstance(step, LoadNifti) else step for step in steps]
    return loading, frozenset(name for step in loaders if step.dtype == "float32" for name in step.fields)


def _is_whole(data: torch.Tensor) -> bool:
    return not data.is_floating_point()


def _is_compact_label(name: str, volume: Volume) -> bool:
    return name == LABEL and volume.data.dtype == torch.uint8


def _as_whole(data: torch.Tensor) -> torch.Tensor | None:
    """Float32 that holds whole numbers of at most 16 bits, as such."""
    row = data.reshape(-1)
    middle = row[len(row) // 2 :][:_LOOKED_AT]
    if not len(row) or not torch.equal(middle, middle.round()):
        return None
    low, high = (float(value) for value in torch.aminmax(row))
    for kind in (torch.uint8, torch.int16):
        limits = torch.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            whole = data.to(kind)
            return whole if torch.equal(whole.to(data.dtype), data) else None
    return None


class _Widened(Deterministic, Fusible[Nothing]):
    """Float32 in place of the type in which a field is kept."""

    @property
    def called(self) -> str:
        """The cache does it."""
        return "cache"

    def transform(self, sample: Sample) -> Sample:
        """Widen the fields that are marked."""
        return sample.with_fields(**{name: _with(sample[name], sample[name].data.float()) for name in _marked(sample)})

    def fuse(self, work: Work, parameters: Nothing) -> None:
        """Widen the fields that are marked."""
        work.change(_marked(work.sample), lambda pending: pending.scaled(1.0, 0.0, dtype=torch.float32))


def _marked(sample: Sample) -> list[str]:
    return [name for name in sample.fields if _WIDER + name in sample.prepared]


class _Waited(Deterministic, Fusible[Nothing]):
    """A step that waited behind the cache, for the items that wait for it."""

    def __init__(self, step: Transform[Any]) -> None:
        self.step = step

    @property
    def called(self) -> str:
        """What messages call it."""
        return self.step.called

    def transform(self, sample: Sample) -> Sample:
        """Do it, if the item waits."""
        return self.step(sample, generator(0)) if _WAITING in sample.prepared else sample

    def fuse(self, work: Work, parameters: Nothing) -> None:
        """Do it, if the item waits."""
        if _WAITING in work.sample.prepared and isinstance(self.step, Fusible):
            self.step.fuse(work, parameters)
