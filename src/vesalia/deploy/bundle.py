"""A MONAI bundle: the network as TorchScript, and configs in MONAI's own transforms; it runs without Vesalia."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

from vesalia.deploy.base import Deployment, Format
from vesalia.deploy.bundle_steps import PREDICTION, Node, monai_post, monai_pre
from vesalia.deploy.described import described
from vesalia.errors import ConfigError, UserError
from vesalia.runtime import machine
from vesalia.runtime.files import write_bytes, write_json

__all__ = ["Bundle"]


class Bundle(Format):
    """Writes ``bundle/<serving name>/configs/{inference,metadata}.json`` and ``models/model.ts``."""

    name = "bundle"
    purpose = "a MONAI bundle that MONAI runs without Vesalia"
    needs_plan = True

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the bundle.

        Raises:
            ConfigError: There is no evaluation config, or it has steps that MONAI has not.
            UserError: The network classifies, or takes no windows of the config's size.
        """
        inference, metadata = _inference(deployment), _metadata(deployment)
        folder = deployment.folder / "bundle" / deployment.serving_name
        program = folder / "models" / "model.ts"
        configs = (folder / "configs" / "inference.json", folder / "configs" / "metadata.json")
        write_bytes(program, deployment.program.content)
        write_json(configs[0], inference)
        write_json(configs[1], metadata)
        return (*configs, program)


def _inference(deployment: Deployment) -> dict[str, Any]:
    if deployment.plan is None:
        raise ConfigError("--to bundle: found no evaluation config, expected what is done before and after the network")
    if len(deployment.program.output_shape) != len(deployment.program.input_shape):
        raise UserError("--to bundle: found a network that classifies, expected one that gives a value per voxel")
    steps = described(deployment.plan, for_other_machines=True)
    after, nearest = monai_post(steps["post_transforms"], steps["writers"])
    before = monai_pre(steps["pre_transforms"], is_label=nearest)
    inferer, padding = _inferer(deployment, steps["inferer"])
    return {
        "imports": ["$import glob", "$import math", "$import numpy", "$import torch", "$import monai"],
        "bundle_root": ".",
        "output_dir": "$@bundle_root + '/eval'",
        "dataset_dir": "",
        "datalist": "$sorted(glob.glob(@dataset_dir + '/*.nii*'))",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {
            "_target_": "torch.jit.load",
            "f": "$@bundle_root + '/models/model.ts'",
            "map_location": "@device",
        },
        "network": "$@network_def.eval()",
        "preprocessing": {"_target_": "Compose", "transforms": [*before, *padding]},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": 1,
            "shuffle": False,
            "num_workers": 0,
        },
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": after},
        "handlers": [],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
            "amp": False,
        },
        "run": ["$@evaluator.run()"],
    }


def _inferer(deployment: Deployment, inferer: Node) -> tuple[Node, list[Node]]:
    """MONAI's inferer, and the padding that ours does by itself."""
    program, args = deployment.program, inferer["args"]
    divisor = int(getattr(deployment.loaded.model, "size_divisor", 1))
    if inferer["name"] == "TFSimpleInferer":
        padding = [{"_target_": "DivisiblePadd", "keys": "image", "k": divisor}] if divisor > 1 else []
        return {"_target_": "SimpleInferer"}, padding
    window = [size + -size % divisor for size in args["roi_size"]]
    sizes = list(program.input_shape[1:])
    if not program.free_sizes and window != sizes:
        message = f"--to bundle: found roi_size {args['roi_size']} for a network that takes {sizes} only"
        raise UserError(f"{message}, expected the same; write roi_size: {sizes}")
    windows = {"roi_size": window, "sw_batch_size": args["batch_size"] if program.free_batch else 1}
    return {"_target_": "SlidingWindowInferer", **windows, "overlap": args["overlap"], "mode": args["mode"]}, []


def _metadata(deployment: Deployment) -> dict[str, Any]:
    loaded, program, versions = deployment.loaded, deployment.program, machine.versions()
    divisor = int(getattr(loaded.model, "size_divisor", 1))
    sizes: list[Any] = [f"{divisor}*n"] * (len(program.input_shape) - 1)
    sizes = sizes if program.free_sizes else list(program.input_shape[1:])
    shared = {"type": "image", "spatial_shape": sizes, "dtype": "float32", "is_patch_data": True}
    names = {str(number): name for number, name in enumerate(loaded.class_names)}
    given = {**shared, "format": "magnitude", "num_channels": program.input_shape[0], "value_range": []}
    given["channel_def"] = {str(number): "image" for number in range(program.input_shape[0])}
    found = {**shared, "format": "probabilities", "num_channels": program.output_shape[0], "value_range": [0, 1]}
    return {
        "version": "1.0.0",
        "changelog": {"1.0.0": "exported by Vesalia"},
        "monai_version": versions.get("monai", ""),
        "pytorch_version": versions.get("torch", ""),
        "numpy_version": versions.get("numpy", ""),
        "required_packages_version": {"nibabel": versions.get("nibabel", ""), "pytorch-ignite": "0.5.0"},
        "name": deployment.serving_name,
        "task": "segmentation",
        "description": f"{loaded.card['model']['name']} for {', '.join(loaded.class_names)}",
        "authors": "",
        "copyright": "",
        "weights_sha256": loaded.sha256,
        "network_data_format": {
            "inputs": {"image": given},
            "outputs": {PREDICTION: {**found, "channel_def": names}},
        },
    }
