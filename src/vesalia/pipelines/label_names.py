"""Class names as data sets write them: name by value (Decathlon) or value by name (nnU-Net)."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vesalia.errors import Fault

__all__ = ["class_names", "labels_by_value"]

_LARGEST = 255
_EXAMPLE = '{"0": "background", "1": "liver"}'


def labels_by_value(labels: object, *, file: Path, faults: list[Fault], has_background: bool = True) -> dict[int, str]:
    """Class names by label value, smallest value first; what is wrong is added to ``faults``.

    Args:
        labels: What the data list has under ``labels``.
        file: The data list, for messages.
        faults: Where faults go.
        has_background: Whether 0 is the background where it has no name; it is a finding like any other where whole
            images are classified.
    """
    if not isinstance(labels, dict) or not labels:
        found = "no labels" if labels is None else repr(labels)[:80]
        faults.append(Fault(str(file), "labels", found=found, expected="a name per label value", write=_EXAMPLE))
        return {0: "background"} if has_background else {}
    named: dict[int, str] = {0: "background"} if has_background else {}
    seen: set[int] = set()
    for key, value in labels.items():
        pair = _pair(key, value)
        if pair is None or pair[0] in seen:
            faults.append(_fault(file, key, value, taken=pair is not None))
            continue
        seen.add(pair[0])
        named[pair[0]] = pair[1]
    if has_background and len(named) == 1 and not faults:
        faults.append(
            Fault(str(file), "labels", found="only the background", expected="one class or more", write=_EXAMPLE)
        )
    return dict(sorted(named.items()))


def class_names(labels: Mapping[int, str], *, count: int) -> tuple[str, ...]:
    """A name per class from 0 up; ``class_3`` where there is none."""
    return tuple(labels.get(value) or _unnamed(value) for value in range(count))


def _unnamed(value: int) -> str:
    return f"class_{value}"


def _pair(key: object, value: object) -> tuple[int, str] | None:
    """(value, name) from either way of writing; None where it is neither."""
    if isinstance(value, str) and str(key).isdecimal():
        number, name = int(str(key)), value
    elif isinstance(value, str) and value.isdecimal():
        number, name = int(value), str(key)
    elif isinstance(value, int) and not isinstance(value, bool):
        number, name = value, str(key)
    else:
        return None
    return (number, name.strip() or _unnamed(number)) if 0 <= number <= _LARGEST else None


def _fault(file: Path, key: object, value: object, *, taken: bool) -> Fault:
    if taken:
        found, expected = f"{value!r}, which another class has too", "a value of its own for each class"
    elif isinstance(value, list | Mapping):
        found, expected = f"{value!r} (a region made of several labels)", "one whole number per class"
    else:
        found, expected = repr(value)[:60], f"a whole number from 0 to {_LARGEST} and a name"
    return Fault(str(file), f"labels.{key}", found=found, expected=expected, write=_EXAMPLE)
