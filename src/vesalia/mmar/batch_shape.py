"""What a chain of transforms makes of channels and sizes, as far as its arguments tell."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vesalia.mmar.plan import ComponentPlan

__all__ = ["SIZE_ARGUMENTS", "Channels", "channels_through", "size_through"]

_MONAI = "MonaiTransform"
_MONAI_CHANGES_CHANNELS = frozenset(
    {
        "AddCoordinateChannelsd",
        "AddExtremePointsChanneld",
        "AsDiscreted",
        "ConcatItemsd",
        "CopyItemsd",
        "LabelToMaskd",
        "Lambdad",
        "RandLambdad",
        "SelectItemsd",
        "SplitDimd",
        "Transposed",
    }
)
_MONAI_CROPS = frozenset({"RandCropByLabelClassesd", "RandCropByPosNegLabeld", "ResizeWithPadOrCropd"})
_MONAI_KEEPS_SIZE = re.compile(
    r"EnsureTyped|CastToTyped|ToTensord|(Rand)?((Axis)?Flip|\w*Intensity\w*|AdjustContrast|Gaussian\w+|\w*Noise|"
    r"BiasField|CoarseDropout|HistogramShift)d"
)
_OTHER_SIZES = frozenset(
    {
        "CropRandomSizeWithDisplacement",
        "RestoreOriginalShape",
        "ScaleByFactor",
        "ScaleByResolution",
        "ScaleBySpacing",
    }
)
"""Transforms after which images have sizes of their own."""
SIZE_ARGUMENTS = ("size", "target_shape")
"""What transforms that give images one size call it."""
_REGIONS = 3


@dataclass(frozen=True, slots=True)
class Channels:
    """How many channels a field has, by those of its file: ``times`` of each, and ``more``.

    Attributes:
        times: How often each channel of the file is there; 0 where their number does not matter.
        more: Channels besides.
        made_by: Key path of the transform that changed them last; empty where they are the file's.
    """

    times: int = 1
    more: int = 0
    made_by: str = ""

    def of(self, stored: int) -> int:
        """Channels of the field for a file with ``stored``."""
        return self.times * stored + self.more

    def stored(self, wanted: int) -> int | None:
        """Channels that a file must have for the field to have ``wanted``; None where no file can (or all do)."""
        if self.times == 0 or wanted <= self.more or (wanted - self.more) % self.times:
            return None
        return (wanted - self.more) // self.times


def channels_through(chain: Iterable[ComponentPlan], field: str) -> Channels | None:
    """The channels that a field has after a chain; None where that cannot be told."""
    found: Channels | None = Channels()
    for step in chain:
        found = _after(step, field, found)
    return found


def _after(step: ComponentPlan, field: str, before: Channels | None) -> Channels | None:
    if step.target.origin != "builtin":
        return None
    made = _made(step, field)
    if made is not None:
        return Channels(0, made, step.where)
    name, read = _called(step), _fields(step)
    if before is None or (field in read and (name in _MONAI_CHANGES_CHANNELS or name == "LoadImageMasksFromNumpy")):
        return None
    if name in {"RepeatChannel", "RepeatChanneld"} and field in read:
        times = _inner(step).get("repeats") if step.name == _MONAI else step.argument("repeat_times")
        return Channels(before.times * times, before.more * times, step.where) if isinstance(times, int) else None
    if name == "AddExtremePointsChannel" and step.argument("image_field") == field:
        added = step.argument("points_channel_field") is None
        return Channels(before.times, before.more + 1, step.where) if added else before
    return before


def _made(step: ComponentPlan, field: str) -> int | None:
    """Channels that a transform gives a field whatever it had; None where it keeps or counts on its own."""
    name = _called(step)
    makes = (*_names(step.argument("label_names")), *_names(step.argument("channel_names")))
    if field in makes or (name == "AddExtremePointsChannel" and step.argument("points_channel_field") == field):
        return 1
    if field not in _fields(step):
        return None
    if name == "ArgmaxAcrossChannels":
        return 1
    if name == "ConvertToMultiChannelBasedOnLabel":
        labels = step.argument("labels") or _names(step.argument("class_names"))
        return len(labels) or None
    return _REGIONS if name.startswith("ConvertToMultiChannelBasedOnBratsClasses") else None


def size_through(
    chain: Iterable[ComponentPlan], field: str, *, axes: int
) -> tuple[tuple[int, ...], ComponentPlan] | None:
    """The size of a field after a chain, and the transform that gave it; None where that cannot be told."""
    found: tuple[tuple[int, ...], ComponentPlan] | None = None
    for step in chain:
        if step.target.origin != "builtin":
            found = None
        elif field in _cropped(step):
            given = _given_size(step, axes)
            keeps = not _resizes(step)
            found = (given, step) if given else _padded(step, found) if keeps else None
    return found


def _cropped(step: ComponentPlan) -> tuple[str, ...]:
    return (*_fields(step), *_names(step.argument("image_field")), *_names(step.argument("label_field")))


def _given_size(step: ComponentPlan, axes: int) -> tuple[int, ...] | None:
    if step.name == _MONAI:
        inner = _inner(step)
        is_exact = _called(step) in _MONAI_CROPS and not inner.get("allow_smaller")
        size = inner.get("spatial_size") if is_exact else None
    else:
        size = next((step.args[name] for name in SIZE_ARGUMENTS if name in step.args), None)
    numbers = (size,) if isinstance(size, int) else size
    if not isinstance(numbers, list | tuple) or not all(isinstance(edge, int) and edge > 0 for edge in numbers):
        return None
    return tuple(numbers) * axes if len(numbers) == 1 else tuple(numbers) if len(numbers) == axes else None


def _resizes(step: ComponentPlan) -> bool:
    if step.name == _MONAI:
        return _MONAI_KEEPS_SIZE.fullmatch(_called(step)) is None
    sized = any(name in step.args for name in SIZE_ARGUMENTS)
    return sized or step.name in _OTHER_SIZES or step.argument("keep_size") is False


def _padded(
    step: ComponentPlan, found: tuple[tuple[int, ...], ComponentPlan] | None
) -> tuple[tuple[int, ...], ComponentPlan] | None:
    """The size once more, or as SymmetricPadderDiv pads it."""
    if found is None or step.name != "SymmetricPadderDiv":
        return found
    by: Any = step.argument("div_int")
    divisors: Sequence[int] = (by,) * len(found[0]) if isinstance(by, int) else by * (len(found[0]) // len(by))
    if len(divisors) != len(found[0]) or min(divisors) < 1:
        return None
    return tuple(edge + -edge % divisor for edge, divisor in zip(found[0], divisors, strict=True)), step


def _fields(step: ComponentPlan) -> tuple[str, ...]:
    if step.name == _MONAI:
        return _names(_inner(step).get("keys"))
    return (*_names(step.argument("fields")), *_names(step.argument("field")))


def _inner(step: ComponentPlan) -> Mapping[str, Any]:
    """The arguments of MONAI's own transform."""
    found = step.args.get("arguments")
    return found if isinstance(found, Mapping) else {}


def _called(step: ComponentPlan) -> str:
    """A transform's name; MONAI's own is called by MONAI's."""
    return str(step.argument("path", "")).rpartition(".")[2] if step.name == _MONAI else step.name


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(","))
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list | tuple) else ()
