"""From samples to the batch a network takes: stacking, batch transforms, and clear words where shapes do not fit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vesalia.errors import ConfigError, DataError, Fault
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.buffers import BatchRoom
from vesalia.pipelines.items import Chain
from vesalia.pipelines.verify import IMAGE

__all__ = ["Batch", "Batcher"]

_WHERE = "image_pipeline"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one training step takes.

    Attributes:
        fields: Field name to ``[B, C, D, H, W]`` (2D: ``[B, C, H, W]``), channels first whatever the files' layout was.
            ``label`` is a map of class numbers ``[B, 1, D, H, W]``, uint8 where that loses nothing, or, in a
            classification, a vector of numbers ``[B, n]``.
        names: The subject of each row.
        counts: Whether the step's mean takes these rows in; not where a rank without items stands by with another's.
    """

    fields: dict[str, torch.Tensor]
    names: tuple[str, ...]
    counts: bool = True


class Batcher:
    """Makes a batch of the samples of a step."""

    def __init__(
        self,
        batch_transforms: Chain,
        *,
        batched_by_transforms: bool = False,
        image_dtype: torch.dtype = torch.float32,
    ) -> None:
        """Take the rules.

        Args:
            batch_transforms: What is done on the assembled batch, ``MergeBatchDims`` for one.
            batched_by_transforms: Whether the chain gives batches itself, so that one sample is one batch.
            image_dtype: Number format of the image in the batch.
        """
        self._batch_transforms = batch_transforms
        self._batched_by_transforms = batched_by_transforms
        self._image_dtype = image_dtype

    def __call__(
        self, samples: Sequence[Sample], generator: torch.Generator, *, room: BatchRoom | None = None
    ) -> Batch:
        """Make the batch.

        Args:
            samples: The items.
            generator: The dice of batch transforms.
            room: Memory that the items may lie in already, one behind the other.

        Raises:
            ConfigError: The chain and the pipeline's arguments do not agree on who makes the batch.
            DataError: Samples have different fields or shapes.
        """
        _check_loaded(samples)
        samples = [_with_rows(sample) for sample in samples]
        dims = {name: len(volume.spatial_shape) for name, volume in samples[0].fields.items()}
        whole = _as_batch(samples[0]) if self._batched_by_transforms else _stack(samples, room)
        done = self._batch_transforms(whole, generator)
        tensors = {name: volume.data for name, volume in done.fields.items()}
        for name, tensor in tensors.items():
            _check_rank(name, tensor, dims.get(name, tensor.ndim - 2))
        if IMAGE in tensors:
            tensors[IMAGE] = tensors[IMAGE].to(self._image_dtype)
        return Batch(tensors, _row_names(samples))


def _check_loaded(samples: Sequence[Sample]) -> None:
    for sample in samples:
        if not any(volume.spatial_shape for volume in sample.fields.values()):
            found = f"no transform that loads a field of {sample.name}"
            write = '{"name": "LoadNifti", "args": {"fields": ["image", "label"]}}'
            raise ConfigError(faults=[Fault("pre_transforms", found=found, expected="a loader first", write=write)])


def _row_names(samples: Sequence[Sample]) -> tuple[str, ...]:
    def rows(sample: Sample) -> int:
        volume = next(iter(sample.fields.values()))
        return int(volume.data.shape[0]) if volume.batched else 1

    return tuple(sample.name for sample in samples for _ in range(rows(sample)))


def _with_rows(sample: Sample) -> Sample:
    """The sample with its vectors once per crop, where its image was cut into crops."""
    rows = max((len(volume.data) for volume in sample.fields.values() if volume.batched), default=0)
    vectors = {
        name: replace(volume, data=volume.data.expand(rows, -1), batched=True)
        for name, volume in sample.fields.items()
        if rows and not volume.spatial_shape and not volume.batched
    }
    return sample.with_fields(**vectors)


def _as_batch(sample: Sample) -> Sample:
    """The batch that a chain made itself, channels first."""
    for name, volume in sample.fields.items():
        if not volume.batched:
            found = f"true, and a chain that gives one {name} per subject"
            write = "false, or CropByPosNegRatio in pre_transforms"
            expected = "a crop that gives a batch"
            raise ConfigError(faults=[Fault(_WHERE, "batched_by_transforms", found, expected, write)])
    return Sample({name: _batched(volume.as_batch()) for name, volume in sample.fields.items()}, name=sample.name)


def _stack(samples: Sequence[Sample], room: BatchRoom | None) -> Sample:
    """The samples one behind the other: ``[B, C, ...]``, or ``[B, b, C, ...]`` where each has b crops."""
    first = samples[0]
    for other in samples[1:]:
        if other.fields.keys() != first.fields.keys():
            found = f"the fields {', '.join(other.fields)}, and {', '.join(first.fields)} in {first.name}"
            expected, write = "the same fields in all subjects of a batch", "the missing files into the data list"
            raise DataError(faults=[Fault(other.name, found=found, expected=expected, write=write)])
        for name, volume in other.fields.items():
            _check_shape(name, (first, first[name]), (other, volume))
    stacked = {name: _joined([sample[name] for sample in samples], name, room) for name in first.fields}
    return Sample({name: _batched(data) for name, data in stacked.items()}, name=first.name)


def _joined(volumes: Sequence[Volume], name: str, room: BatchRoom | None) -> torch.Tensor:
    """The volumes one behind the other: as they lie where the room has them so, else stacked."""
    whole = room.whole(name, volumes) if room else None
    if whole is None:
        return torch.stack([_alone(volume) for volume in volumes])
    return whole if volumes[0].batched else whole[:, 0]


def _alone(volume: Volume) -> torch.Tensor:
    data = volume.as_batch()
    return data if volume.batched else data[0]


def _batched(data: torch.Tensor) -> Volume:
    return Volume(data, channel="first", batched=True)


def _check_shape(field: str, one: tuple[Sample, Volume], other: tuple[Sample, Volume]) -> None:
    shapes = [tuple(_alone(volume).shape) for _, volume in (one, other)]
    if shapes[0] != shapes[1]:
        found = f"{list(shapes[0])} in {one[0].name} and {list(shapes[1])} in {other[0].name}"
        write = "a crop to one size in pre_transforms (CropFixedSizeRandomCenter for one), or output_batch_size: 1"
        fault = Fault(_WHERE, field, found=found, expected="one shape for all subjects of a batch", write=write)
        raise DataError(faults=[fault])


def _check_rank(field: str, data: torch.Tensor, dims: int) -> None:
    if data.ndim == dims + 2:
        return
    found = f"{list(data.shape)}, {data.ndim} axes"
    if data.ndim > dims + 2:
        write = f'"batch_transforms": [{{"name": "MergeBatchDims", "args": {{"fields": ["{field}"]}}}}], or '
        write += "batched_by_transforms: true"
        expected = f"{dims + 2} axes; the crops have a batch axis of their own that nothing merged"
    else:
        write = "a crop that gives a batch (CropByPosNegRatio) with batched_by_transforms: false, or no MergeBatchDims"
        expected = f"{dims + 2} axes; MergeBatchDims met data that has one batch axis only"
    raise ConfigError(faults=[Fault("batch_transforms", field, found=found, expected=expected, write=write)])
