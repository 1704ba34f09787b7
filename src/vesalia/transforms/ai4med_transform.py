"""Custom transforms and loaders for v3, which work on NumPy arrays in a context, as transforms."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

import numpy as np
import torch

from vesalia.errors import DataError, VesaliaError
from vesalia.imaging.array_image import context_of, sample_of
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.target import Brought
from vesalia.runtime.error_place import place_of
from vesalia.runtime.memory import is_out_of_memory
from vesalia.transforms.base import Transform

__all__ = ["Ai4medTransform", "Seeds"]

_SEEDS = 2**32
_SHARED_DICE = RLock()
"""Held while custom code throws dice: ``random`` and ``numpy.random`` have one state for all threads."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """What was drawn.

    Attributes:
        values: ``[B]``, the seed of each batch member.
    """

    values: torch.Tensor


class Ai4medTransform(Transform[Seeds]):
    """A class on ``ai4med``'s ``Transformer``, run for each batch member by itself.

    Such code draws from ``random`` and ``numpy.random``. While it runs, both are seeded by what was drawn for it, under
    a lock, and put back afterwards: its results depend on the run's seed, not on threads. Code that mentions nothing
    random runs without the lock.

    Args:
        brought: The class.
        **arguments: Its arguments.

    Attributes:
        custom: The object.
        fields: The fields that it says it changes.
    """

    def __init__(self, brought: Brought, /, **arguments: Any) -> None:
        self._brought = brought
        self.custom = brought.made_of(**arguments)
        self.fields = tuple(getattr(self.custom, "fields", ()))
        self.deterministic = bool(self.custom.is_deterministic())

    @property
    def called(self) -> str:
        """The name in the config."""
        return self._brought.called

    def draw(self, sample: Sample, generator: torch.Generator) -> Seeds:
        """A seed per batch member."""
        return Seeds(torch.randint(_SEEDS, (_member_count(sample) or 1,), generator=generator))

    def apply(self, sample: Sample, parameters: Seeds) -> Sample:
        """Run the custom code.

        Raises:
            DataError: It failed, or gave back something else than the context; the message says in which line.
        """
        seeds: list[int] = parameters.values.tolist()
        count = _member_count(sample)
        if count is None:
            return self._run(sample, seeds[0])
        members = [_member(sample, index) for index in range(count)]
        done = [self._run(member, seed) for member, seed in zip(members, seeds, strict=True)]
        return self._joined(sample, members, done)

    def _run(self, sample: Sample, seed: int) -> Sample:
        context = context_of(sample)
        try:
            with _seeded(seed) if self._brought.throws_dice else nullcontext():
                result = self.custom.transform(context)
        except VesaliaError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            place = place_of(error, self._brought.file.parent)
            found = f"found an error of its own code: {type(error).__name__}: {error}{place}"
            raise DataError(f"{found}; check its arguments, these files and that line") from error
        if not isinstance(result, Mapping):
            found = f"found {type(result).__name__} as the result of its transform, expected the context"
            raise DataError(f"{found}; write return transform_ctx at its end ({self._brought.file.name})")
        return sample_of(result, sample)

    def _joined(self, sample: Sample, members: Sequence[Sample], done: Sequence[Sample]) -> Sample:
        """The results of the members of a batch as one batch; fields that no member changed stay as they were."""
        fields = {}
        for name in dict.fromkeys(name for each in done for name in each.fields):
            parts = [each.fields.get(name) for each in done]
            untouched = all(part is member.fields.get(name) for part, member in zip(parts, members, strict=True))
            fields[name] = sample[name] if untouched else self._batch(name, parts, sample.fields.get(name))
        return replace(sample, fields=fields)

    def _batch(self, name: str, parts: Sequence[Volume | None], old: Volume | None) -> Volume:
        volumes = [part for part in parts if part is not None]
        layouts = {(tuple(each.data.shape), each.data.dtype, each.channel, each.batched) for each in volumes}
        if len(layouts) > 1 or len(volumes) < len(parts) or volumes[0].batched:
            shapes = " and ".join(sorted({str(list(each.data.shape)) for each in volumes}))
            found = f"found {name!r} of different shapes or types ({shapes}, {len(volumes)} of {len(parts)} crops)"
            raise DataError(f"{found}, expected one shape and type for all crops of a batch; write one")
        data = torch.stack([each.data for each in volumes])
        return Volume(data, None, volumes[0].channel, batched=True, source=old.source if old else None)


def _member_count(sample: Sample) -> int | None:
    """Members of a sample that is a batch; None for a single one."""
    return next((len(volume.data) for volume in sample.fields.values() if volume.batched), None)


def _member(sample: Sample, index: int) -> Sample:
    fields = {
        name: replace(volume, data=volume.data[index], batched=False) if volume.batched else volume
        for name, volume in sample.fields.items()
    }
    return replace(sample, fields=fields)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Both shared states of random numbers begin with ``seed``, and are afterwards what they were before."""
    with _SHARED_DICE:
        plain, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002 - what custom code for v3 draws from
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - the same
        try:
            yield
        finally:
            random.setstate(plain)
            np.random.set_state(numpys)  # noqa: NPY002 - the same
