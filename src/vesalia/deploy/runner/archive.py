"""An archive's own config with the network that was exported from it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vesalia.deploy.described import described
from vesalia.deploy.runner.plan import PLAN_ENDING, InferencePlan, find_plan, plan_of, read_data
from vesalia.errors import CheckpointError
from vesalia.inference.card import read_card
from vesalia.inference.checkpoint_names import BEST, card_file
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import DataItem, items_of, read_datalist

__all__ = ["items_for", "plan_for"]


def plan_for(plan: EvaluatePlan) -> InferencePlan:
    """The steps of an evaluation's plan, as they are now, around the network that lies beside the weights.

    Raises:
        ConfigError: A step is not known without torch.
        CheckpointError: There is no exported network, or it was made from other weights than those beside it.
    """
    steps = described(plan, for_other_machines=False)
    folder = plan.checkpoint_dir
    file = folder / f"{BEST}{PLAN_ENDING}"
    found = file if file.is_file() else find_plan(folder)
    if found is None:
        message = f"{file}: found no exported network, expected one for --engine onnx"
        raise CheckpointError(f"{message}; write vesalia export {plan.archive.root} --to onnx")
    data = read_data(found)
    prefix = folder / found.name.removesuffix(PLAN_ENDING)
    if card_file(prefix).is_file() and read_card(prefix)["sha256"] != data["network"]["weights_sha256"]:
        message = f"{found}: found a network that was exported from other weights than {prefix.name}.safetensors"
        raise CheckpointError(f"{message}, expected these; write vesalia export {plan.archive.root} --to onnx")
    return plan_of({**data, **steps}, folder, file=plan.archive.shown(plan.config_file))


def items_for(plan: EvaluatePlan, images: Sequence[Path]) -> tuple[DataItem, ...]:
    """The subjects: the images given, or those of the plan's data list.

    Raises:
        DataError: Files are missing.
    """
    return items_of(images) or read_datalist(plan.data_list_file, plan.data_root, key=plan.data_list_key).items
