"""Making the components of a plan and letting them go: what is wrong with them is told before the data is read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.models.base import Model
from vesalia.errors import ConfigError, Fault
from vesalia.mmar.batch_shape import SIZE_ARGUMENTS, size_through
from vesalia.mmar.build import build, rehearse
from vesalia.mmar.network import axes_of
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
        if isinstance(plan, TrainPlan) and plan.model.target.origin == "builtin":
            with torch.device("meta"):  # a network without its weights
                _rehearse_network(plan)
    except ConfigError as error:
        raise ConfigError(error.message, faults=plan.places.told(error.faults)) from error


def _rehearse_network(plan: TrainPlan) -> None:
    channels = int(plan.image_pipeline.argument("output_image_channels", 1))
    network = build(plan.model, in_channels=channels)
    faults: list[Fault] = []
    if plan.frozen_parameters:
        names = [name for name, _ in network.named_parameters()]
        faults += frozen_faults(names, plan.frozen_parameters, file=plan.model.file)
    if faults := [*faults, *_size_faults(plan, network, channels)]:
        raise ConfigError(faults=faults)


def _size_faults(plan: TrainPlan, network: Model, channels: int) -> list[Fault]:
    """What the network says of the size that images are cut to, where the transforms tell one."""
    axes = axes_of(plan.image_pipeline)
    told = size_through((*plan.pre_transforms, *plan.batch_transforms), "image", axes=axes if axes in {2, 3} else 3)
    if told is None:
        return []
    size, step = told
    try:
        network.check_size(torch.empty(1, channels, *size))
    except ConfigError as error:
        said = error.message.removeprefix("model: found ").partition(", expected ")
        expected, _, write = said[2].partition("; write ")
        name = next((name for name in SIZE_ARGUMENTS if name in step.args), "")
        key = f"{step.where}.args.{name}" if name else step.where
        return [Fault(step.file, key, said[0], f"{expected}, as {plan.model.where} takes", write)]
    return []
