"""Small archives for the tests of this folder: a sound one, and ways to spoil it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from vesalia.errors import UserError
from vesalia.mmar.plan import EvaluatePlan, TrainPlan
from vesalia.mmar.validate import plan_evaluation, plan_training

DATASET = {
    "name": "Task",
    "training": [{"image": "a.nii.gz", "label": "b.nii.gz"}, {"image": "c.nii.gz", "label": "d.nii.gz"}],
    "validation": [{"image": "e.nii.gz", "label": "f.nii.gz"}],
    "empty": [],
}
ENVIRONMENT = {
    "DATA_ROOT": "data",
    "DATASET_JSON": "config/dataset.json",
    "PROCESSING_TASK": "segmentation",
    "MMAR_CKPT_DIR": "models",
}


def pipeline(key: str, **args: object) -> dict[str, Any]:
    return {
        "name": "SegmentationImagePipeline",
        "args": {
            "data_list_file_path": "{DATASET_JSON}",
            "data_file_base_dir": "{DATA_ROOT}",
            "data_list_key": key,
            "output_crop_size": [96, 96, 96],
            **args,
        },
    }


TRAIN: dict[str, Any] = {
    "epochs": 10,
    "num_training_epoch_per_valid": 5,
    "learning_rate": 1e-3,
    "train": {
        "loss": {"name": "Dice", "args": {"skip_background": True}},
        "model": {"name": "Unet", "args": {"num_classes": 2, "nf_enc": "8,8", "nf_dec": "8,8"}},
        "optimizer": {"name": "Adam"},
        "lr_policy": {"name": "ReducePoly", "args": {"poly_power": 0.9}},
        "aux_ops": [{"name": "NegLoss", "args": {"tag": "negloss"}}],
        "pre_transforms": [
            {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": "image,label"}},
            {
                "name": "ScaleByResolution#ScaleImg",
                "args": {"fields": "image", "target_resolution": [1.0, 1.0, 1.0]},
            },
            {"name": "FastPosNegRatioCropROI", "args": {"size": [96, 96, 96]}},
            {"name": "RandomSpatialFlip", "args": {"fields": ["image", "label"], "probability": 0.5}},
        ],
        "image_pipeline": pipeline("training", output_batch_size=4),
    },
    "validate": {
        "pre_transforms": [{"ref": "LoadNifti"}, {"ref": "ConvertToChannelsFirst"}, {"ref": "ScaleImg"}],
        "image_pipeline": pipeline("validation"),
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [96, 96, 96]}},
        "metrics": [
            {"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "is_key_metric": True}},
            {"name": "ComputeAverage", "args": {"name": "loss", "field": "negloss"}},
        ],
    },
}
VALIDATION: dict[str, Any] = {
    "batch_size": 1,
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [96, 96, 96]}},
    "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": "image"}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
    ],
    "post_transforms": [
        {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
        {"name": "SplitBasedOnLabel", "args": {"field": "model", "label_names": ["pred0", "pred1"]}},
        {"name": "CopyProperties", "args": {"fields": "pred1", "from_field": "image"}},
    ],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": "label"}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": "label"}},
        {"name": "SplitBasedOnLabel", "args": {"field": "label", "label_names": ["label0", "label1"]}},
    ],
    "val_metrics": [
        {
            "name": "ComputeAverageDice",
            "args": {
                "name": "dice1",
                "field": "pred1",
                "label_field": "label1",
                "report_path": "{MMAR_EVAL_OUTPUT_PATH}",
            },
        }
    ],
    "writers": [{"name": "WriteNifti", "args": {"field": "pred1", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
}


def put(data: Any, key: str, value: object) -> None:
    """Put a value at a dotted key path with numbers for list positions; ``None`` takes the key away."""
    *parents, last = key.split(".")
    for parent in parents:
        data = data[int(parent)] if isinstance(data, list) else data[parent]
    if value is None:
        del data[int(last) if isinstance(data, list) else last]
    elif isinstance(data, list):
        data[int(last) :] = [value, *data[int(last) + 1 :]]
    else:
        data[last] = value


def changed(data: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A copy of JSON data with changes; dots in key paths are written ``__``."""
    data = copy.deepcopy(data)
    for key, value in changes.items():
        put(data, key.replace("__", "."), value)
    return data


def make(root: Path, *, train: Any = TRAIN, validation: Any = VALIDATION, environment: Any = ENVIRONMENT) -> Path:
    """An archive on disk; texts are written as they are, other data as JSON."""
    files = {"config_train.json": train, "config_validation.json": validation, "environment.json": environment}
    (root / "config").mkdir(parents=True)
    (root / "data").mkdir()
    for name, content in {**files, "dataset.json": DATASET}.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (root / "config" / name).write_text(text, encoding="utf-8")
    return root


def training(root: Path, *overrides: str, allow_custom_code: bool = False, **changes: object) -> TrainPlan:
    """The plan of a sound archive with changes to its training config."""
    make(root, train=changed(TRAIN, **changes))
    return plan_training(root, overrides=overrides, allow_custom_code=allow_custom_code)


def evaluation(root: Path, *overrides: str, **changes: object) -> EvaluatePlan:
    """The plan of a sound archive with changes to its evaluation config."""
    make(root, validation=changed(VALIDATION, **changes))
    return plan_evaluation(root, overrides=overrides)


def lines(error: UserError) -> list[str]:
    """The faults of an error as text."""
    return [str(fault) for fault in error.faults]
