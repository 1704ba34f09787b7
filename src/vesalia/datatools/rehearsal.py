"""Making the components of a plan and letting them go: what is wrong with them is told before the data is read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import ConfigError
from vesalia.mmar.build import build, rehearse
from vesalia.mmar.plan import EvaluatePlan, TrainPlan, components_of
from vesalia.training.frozen import frozen_faults

__all__ = ["rehearse_plan"]


def rehearse_plan(plan: TrainPlan | EvaluatePlan) -> None:
    """Have the components say what is wrong with them now, not after the data was read.

    Code of archives and plug-ins is left out: it runs when it is needed, not before.

    Raises:
        ConfigError: With the faults of all of them, by the user's key paths.
    """
    components = components_of(plan)
    try:
        rehearse(component for component in components if component.slot != "model")
        with torch.device("meta"):  # a network without its weights
            rehearse(component for component in components if component.slot == "model")
            _rehearse_frozen(plan)
    except ConfigError as error:
        raise ConfigError(error.message, faults=plan.places.told(error.faults)) from error


def _rehearse_frozen(plan: TrainPlan | EvaluatePlan) -> None:
    if not isinstance(plan, TrainPlan) or not plan.frozen_parameters or plan.model.target.origin != "builtin":
        return
    channels = int(plan.image_pipeline.argument("output_image_channels", 1))
    names = [name for name, _ in build(plan.model, in_channels=channels).named_parameters()]
    if faults := frozen_faults(names, plan.frozen_parameters, file=plan.model.file):
        raise ConfigError(faults=faults)
