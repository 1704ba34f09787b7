"""Costs and settings that tests of the pipeline bench share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from vesalia.datatools.pipeline_costs import Costs, Setting

__all__ = ["costs", "setting"]


def costs(**changes: Any) -> Costs:
    """An item of a second to prepare and a tenth to augment; a network of a second."""
    plain: dict[str, Any] = {
        "prefix": {"LoadNifti": 0.6, "ScaleByResolution": 0.3, "CenterData": 0.06, "check and keep": 0.04},
        "augment": {"Crop + Flip": 0.06, "AdjustContrast": 0.04},
        "lookup": 0.0,
        "batch": 0.1,
        "network": {"forward": 0.4, "backward": 0.6},
        "waiting": 0.5,
        "step": 1.5,
        "item_bytes": 10**8,
        "steps": 9,
    }
    return Costs(**{**plain, **changes})


def setting(**changes: Any) -> Setting:
    """Forty items without a cache, four in a step, two workers on four cores beside a GPU."""
    plain: dict[str, Any] = {
        "items": 40,
        "cached": 0,
        "held": changes.get("cached", 0),
        "replaced": 0,
        "items_per_step": 4,
        "crops": 2,
        "workers": 2,
        "cores": 4,
        "on_gpu": True,
        "epochs": 100,
        "memory_bytes": 10**10,
        "in_reach": {},
    }
    return Setting(**{**plain, **changes})
