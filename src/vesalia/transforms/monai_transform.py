"""MonaiTransform: one of MONAI's dictionary transforms, at work on our samples."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import importlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Affine
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.runtime.nearness import nearest
from vesalia.transforms.base import Transform, field_names

__all__ = ["MonaiTransform", "Seeds"]

_PACKAGE = "monai.transforms"
_ELSEWHERE = {
    "LoadImage": "LoadNifti reads images",
    "SaveImage": "WriteNifti in writers writes predictions",
    "SaveClassification": "WriteClassificationResult in writers writes results",
    "Invert": "RestoreOriginalShape brings a prediction back",
    "Lambda": "a transform of your own in the archive's custom folder can hold code",
    "RandLambda": "a transform of your own in the archive's custom folder can hold code",
    "TorchVision": "it runs any class it is told",
    "RandTorchVision": "it runs any class it is told",
    "TorchIO": "it runs any class it is told",
    "RandTorchIO": "it runs any class it is told",
    "CuCIM": "it runs any function it is told",
    "RandCuCIM": "it runs any function it is told",
    "WriteFileMapping": "the record of an evaluation says which prediction belongs to which image",
    "ToDevice": "the trainer places tensors",
}
"""MONAI's transforms, without the endings of the dictionary versions, that do not run here, and why."""
_ASK_PLACE = frozenset({"Orientation", "ResampleToMatch", "Spacing", "SpatialResample"})
"""Transforms whose result depends on where a volume lies."""
_ENDINGS = ("Dict", "D", "d")
_SEED_END = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Seeds:
    """What was drawn.

    Attributes:
        numbers: ``[B]`` int64, a seed for MONAI's random state per batch member.
    """

    numbers: torch.Tensor


class MonaiTransform(Transform[Seeds]):
    """Runs a MONAI dictionary transform; every member of a batch by itself, with dice of its own.

    Fields that the transform lists are handed over as MONAI's tensors with their affines, channels first, and come back
    with the affines that MONAI gave them. A transform that makes several samples of one gives a batch. Values that
    are no images (corners of a box, say) are not kept.

    Args:
        path: The class, below ``monai.transforms``, such as ``monai.transforms.Spacingd``.
        arguments: What its constructor gets, under MONAI's names; ``keys`` are the fields.

    Raises:
        ConfigError: There is no such transform, it does not run here, or it refuses the arguments.
    """

    def __init__(self, path: str, arguments: Mapping[str, Any]) -> None:
        self.path = path
        self.arguments = dict(arguments)
        found = _class_at(path)
        _check_names(found, self.arguments)
        self.fields = field_names(_keys(self.arguments))
        self._transform = _made(found, self.arguments)
        self._asks_place = _plain_name(self.called) in _ASK_PLACE
        self.deterministic = not hasattr(self._transform, "set_random_state")

    @property
    def called(self) -> str:
        """MONAI's name."""
        return self.path.rpartition(".")[2]

    def draw(self, sample: Sample, generator: torch.Generator) -> Seeds:
        """A seed per batch member; none where the transform throws no dice."""
        members = len(sample[self.fields[0]].as_batch())
        if self.deterministic:
            return Seeds(torch.zeros(members, dtype=torch.int64))
        return Seeds(torch.randint(_SEED_END, (members,), generator=generator))

    def apply(self, sample: Sample, parameters: Seeds) -> Sample:
        """The sample after MONAI's transform.

        Raises:
            DataError: Members come out in different sizes, a batch would be made of a batch, or the place of a crop in
                space is asked for after it was forgotten.
        """
        if self._asks_place and any(sample[name].batched for name in self.fields):
            message = "found a batch of crops, whose places in space are not kept, expected single volumes"
            raise DataError(f"{message}; write it before the crop that makes several samples")
        seeds = parameters.numbers.tolist()
        held = {name: volume for name, volume in sample.fields.items() if volume.spatial_shape}
        results = [self._run(_handed_over(held, index), seed) for index, seed in enumerate(seeds)]
        if isinstance(results[0], Sequence):
            return self._crops(sample, [crop for result in results for crop in result], members=len(results))
        return sample.with_fields(**self._volumes(sample, results))

    def _run(self, data: dict[str, Any], seed: int) -> Any:
        transform = self._transform
        if not self.deterministic:  # it keeps what it drew: each thread needs its own
            transform = copy.deepcopy(transform)
            transform.set_random_state(seed=seed)
        return transform(data)

    def _crops(self, sample: Sample, crops: Sequence[Mapping[str, Any]], *, members: int) -> Sample:
        if members > 1 or any(sample[name].batched for name in self.fields):
            raise DataError("found a batch to make a batch of, expected single volumes; write one such crop only")
        made = self._volumes(sample, crops, batched=True)
        return sample.with_fields(**{name: made[name] for name in made if name in self.fields or len(crops) > 1})

    def _volumes(
        self, sample: Sample, results: Sequence[Mapping[str, Any]], *, batched: bool = False
    ) -> dict[str, Volume]:
        made: dict[str, Volume] = {}
        for name, value in results[0].items():
            before = sample.fields.get(name)
            if not isinstance(value, torch.Tensor) or (before is not None and name not in self.fields):
                continue
            parts = [_plain(result[name]) for result in results]
            if any(part.shape != parts[0].shape for part in parts):
                shapes = " and ".join(dict.fromkeys(str(tuple(part.shape)) for part in parts))
                message = f"found members of a batch of the shapes {shapes}, expected one shape"
                raise DataError(f"{message}; write a fixed size of the crop")
            layout = before or replace(sample[self.fields[0]], channel="first")
            layout = replace(layout, channel=_channel(layout, parts[0]))
            if batched or layout.batched:
                made[name] = replace(layout, batched=True, affine=None).from_batch(torch.stack(parts))
            else:
                made[name] = layout.from_batch(parts[0][None], affine=_moved(layout, value))
        return made


def _plain_name(name: str) -> str:
    """The name without the ending of a dictionary transform."""
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), "")


def _class_at(path: str) -> type:
    """The class; only MONAI's transforms are looked at, whatever the path says."""
    package, _, name = path.rpartition(".")
    plain = _plain_name(name)
    if package != _PACKAGE and not package.startswith(f"{_PACKAGE}."):
        raise ConfigError(f'path: found "{path}", expected a class below {_PACKAGE}; write "{_PACKAGE}.Spacingd"')
    if plain in _ELSEWHERE:
        raise ConfigError(
            f'path: found "{path}", expected a transform that may run here; write it anew: {_ELSEWHERE[plain]}'
        )
    module = importlib.import_module(_PACKAGE)
    base: type = module.MapTransform
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        known = [each for each in vars(module) if each.endswith("d") and isinstance(getattr(module, each), type)]
        near = nearest(name, known) or nearest(f"{name}d", known)
        write = f"{_PACKAGE}.{near} (did you mean this?)" if near else f"{_PACKAGE}.Spacingd, for one"
        raise ConfigError(f'path: found "{path}", expected a dictionary transform of MONAI; write {write}')
    return found


def _keys(arguments: Mapping[str, Any]) -> str | Sequence[str]:
    keys = arguments.get("keys")
    if isinstance(keys, str) and keys:
        return keys
    if isinstance(keys, Sequence) and keys and all(isinstance(key, str) and key for key in keys):
        return keys
    raise ConfigError('keys: found no fields, expected one or a list; write ["image", "label"]')


def _check_names(found: type, arguments: Mapping[str, Any]) -> None:
    parameters = inspect.signature(found).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in arguments:
        if name not in parameters:
            near = nearest(name, parameters)
            write = f"{near} (did you mean this?)" if near else "nothing here"
            raise ConfigError(
                f"{name}: found an argument that does not exist, expected one of {', '.join(parameters)}; write {write}"
            )


def _made(found: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MONAI warns of defaults that it changed
            return found(**{name: _listed(value) for name, value in arguments.items()})
    except (TypeError, ValueError, LookupError, ImportError) as error:
        raise ConfigError(str(error)) from error


def _listed(value: object) -> object:
    """A value of a plan as JSON had it: plans hold tuples, and some of MONAI's checks ask for lists."""
    if isinstance(value, tuple | list):
        return [_listed(member) for member in value]
    return {name: _listed(member) for name, member in value.items()} if isinstance(value, Mapping) else value


def _handed_over(fields: Mapping[str, Volume], index: int) -> dict[str, Any]:
    """One member as MONAI's transforms take it: tensors with affines, channels first."""
    meta_tensor = importlib.import_module("monai.data").MetaTensor
    return {
        name: meta_tensor(volume.as_batch()[index].clone(), affine=torch.from_numpy(_local(volume)))
        for name, volume in fields.items()
    }


def _plain(value: torch.Tensor) -> torch.Tensor:
    return value.as_subclass(torch.Tensor).contiguous()


def _local(volume: Volume) -> Affine:
    """The affine that MONAI gets: a slice lies anywhere in space, and MONAI thinks of it as lying in its own plane."""
    return np.diag([*volume.spacing_mm, 1.0, 1.0]) if len(volume.spatial_shape) == 2 else volume.placed.copy()


def _moved(volume: Volume, value: torch.Tensor) -> Affine | None:
    """The affine of ``volume`` after what MONAI did to the one that it got."""
    given = getattr(value, "affine", None)
    if given is None or volume.affine is None:
        return None
    after = np.asarray(torch.as_tensor(given).cpu(), dtype=np.float64)
    if np.array_equal(after, _local(volume)):
        return volume.affine
    if len(volume.spatial_shape) == 3:
        return after
    placed = np.eye(4)
    placed[:2, :2], placed[:2, 3] = after[:2, :2], after[:2, -1]
    moved: Affine = volume.affine @ np.linalg.inv(_local(volume)) @ placed
    return moved


def _channel(layout: Volume, member: torch.Tensor) -> ChannelAxis:
    """Channels that a transform made need an axis, wherever there was none."""
    return "first" if layout.channel == "none" and len(member) != 1 else layout.channel
