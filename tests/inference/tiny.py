"""A tiny network, its card, and a tiny archive with data, for the tests of this folder."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import one_hot

from vesalia.components.models.base import Model
from vesalia.imaging.nifti import write_volume
from vesalia.imaging.volume import Volume
from vesalia.inference.card import model_card
from vesalia.inference.weights import LoadedModel, save_weights
from vesalia.mmar.archive import open_archive
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.registry import find

__all__ = ["CLASSES", "EchoModel", "echo_loaded", "make_archive", "make_data", "save_unet", "unet_plan"]

CLASSES = ("background", "head", "tail")
SPACING = np.diag([-1.0, 2.0, 1.5, 1.0])  # x runs to the left, voxels are not cubes


class EchoModel(Model):
    """Says with certainty that each voxel is the class its intensity names."""

    def __init__(self) -> None:
        super().__init__(len(CLASSES), in_channels=1, final_activation="linear")
        self.weight = torch.nn.Parameter(torch.ones(1))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """One-hot intensities."""
        classes = image[:, 0].round().long().clamp(0, len(CLASSES) - 1)
        return one_hot(classes, len(CLASSES)).movedim(-1, 1).float() * self.weight


def echo_loaded(prefix: Path) -> LoadedModel:
    """The echo model as if it had been read from ``prefix``."""
    card = model_card(unet_plan(), in_channels=1, class_names=CLASSES, config={"epochs": 1}, epoch=7, metric=("m", 0.5))
    return LoadedModel(EchoModel().eval(), {**card, "sha256": "0" * 64}, prefix)


def unet_plan(**args: Any) -> ComponentPlan:
    """The smallest U-Net worth the name."""
    target = find("model", "Unet")
    assert target is not None
    given = {"num_classes": len(CLASSES), "nf_enc": (4, 4), "nf_dec": (4, 4, 4, 4, 4), **args}
    return ComponentPlan("model", "Unet", "Unet", target, given, "train.model")


def save_unet(root: Path, prefix: Path, *, seed: int = 0) -> torch.nn.Module:
    """Save a U-Net with random weights."""
    torch.manual_seed(seed)
    plan = unet_plan()
    model: torch.nn.Module = Builder(open_archive(root)).build(plan, in_channels=1)
    card = model_card(plan, in_channels=1, class_names=CLASSES, config={"epochs": 1}, epoch=3)
    save_weights(prefix, model, card=card)
    return model.eval()


def make_data(folder: Path, *, cases: int = 3) -> Path:
    """Images whose intensities are the classes of their labels; gives the data list."""
    entries = []
    for index in range(cases):
        label = np.zeros((12, 10, 8), dtype=np.uint8)
        label[2 + index : 8, 3:7, 2:6] = 1
        label[2 + index : 5, 3:7, 2:6] = 2
        for kind, values in (("image", label.astype(np.float32)), ("label", label)):
            write_volume(Volume(torch.from_numpy(values), SPACING), folder / kind / f"case_{index}.nii.gz")
        entries.append({"image": f"image/case_{index}.nii.gz", "label": f"label/case_{index}.nii.gz"})
    path = folder / "dataset.json"
    path.write_text(json.dumps({"labels": dict(enumerate(CLASSES)), "validation": entries}))
    return path


_HEAD = [
    {"name": "LoadNifti", "args": {"fields": "image"}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
]
_LABEL = [
    {"name": "LoadNifti", "args": {"fields": "label"}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": "label"}},
]


def make_archive(root: Path, data: Path) -> Path:
    """An archive with an evaluation config and no weights."""
    config = {
        "batch_size": 1,
        "pre_transforms": _HEAD,
        "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
        "label_transforms": _LABEL,
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [8, 8, 8]}},
        "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
        "val_metrics": [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model"}}],
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}],
    }
    environment = {
        "DATA_ROOT": str(data.parent),
        "DATASET_JSON": str(data),
        "PROCESSING_TASK": "segmentation",
        "MMAR_CKPT_DIR": "models",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
    }
    (root / "config").mkdir(parents=True)
    (root / "config" / "config_validation.json").write_text(json.dumps(config))
    (root / "config" / "environment.json").write_text(json.dumps(environment))
    return root
