"""The steps behind the cache that give labels other values: what the network is given is judged, not what is kept."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vesalia.pipelines.verify import LABEL
from vesalia.transforms.base import Deterministic, Invertible, Transform

__all__ = ["label_steps"]

_OWN = "vesalia."


def label_steps(steps: Iterable[Transform[Any]]) -> tuple[Transform[Any], ...] | None:
    """Those of the steps that give labels other values, such as masks of classes after a crop.

    None where these throw dice or are not ours: then nobody knows beforehand what becomes of a whole label.
    """
    changing = tuple(step for step in steps if _may_change_labels(step))
    known = all(isinstance(step, Deterministic) and _is_ours(step) for step in changing)
    return changing if known else None


def _may_change_labels(step: Transform[Any]) -> bool:
    fields = getattr(step, "fields", None) or (getattr(step, "field", LABEL),)
    changes = step.changes_values if _is_ours(step) else not isinstance(step, Invertible)
    return changes and LABEL in fields


def _is_ours(step: Transform[Any]) -> bool:
    return type(step).__module__.startswith(_OWN)
