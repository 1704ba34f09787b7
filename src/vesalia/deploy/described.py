"""An evaluation config as a plan for the runner: its steps by name with their arguments, or a refusal by name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from vesalia.deploy.runner.inferers import INFERERS
from vesalia.deploy.runner.steps import STEPS
from vesalia.deploy.runner.writers import WRITERS
from vesalia.errors import ConfigError, Fault
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan
from vesalia.runtime.jsonfile import as_json

__all__ = ["described"]


def described(plan: EvaluatePlan, *, for_other_machines: bool) -> dict[str, Any]:
    """The steps of ``plan`` as JSON data; defaults are written out, so that they outlive a change of a default.

    Args:
        plan: A checked plan.
        for_other_machines: Leave out folders of this one: writers' ``write_path``.

    Raises:
        ConfigError: A step is not one that can be done without torch; all of them are named.
    """
    parts: dict[str, tuple[Sequence[ComponentPlan], Collection[str]]] = {
        "pre_transforms": (plan.pre_transforms, STEPS),
        "inferer": ((plan.inferer,), INFERERS),
        "post_transforms": (plan.post_transforms, STEPS),
        "writers": (plan.writers, WRITERS),
    }
    faults = [
        _refusal(component, known)
        for components, known in parts.values()
        for component in components
        if component.target.origin != "builtin" or component.name not in known
    ]
    if faults:
        message = "these parts of the config are not known without torch; --to onnx-network writes the network alone:"
        raise ConfigError(message, faults=plan.places.told(faults))
    data: dict[str, Any] = {name: [_as_data(one) for one in components] for name, (components, _) in parts.items()}
    data["inferer"] = data["inferer"][0]
    for writer in data["writers"] if for_other_machines else []:
        writer["args"]["write_path"] = None
    return data


def _refusal(component: ComponentPlan, known: Collection[str]) -> Fault:
    found = component.name if component.target.origin == "builtin" else f"{component.name}, code of its own"
    return Fault(component.file, component.where, found, f"one of {', '.join(known)}", "--engine torch")


def _as_data(component: ComponentPlan) -> dict[str, Any]:
    return {"name": component.name, "args": as_json({**component.defaults, **component.args})}
