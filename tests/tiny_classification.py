"""A classification archive that trains in seconds: drawn radiographs of 32 pixels, a narrow Alexnet."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vesalia.datatools.synthetic import synthesize

__all__ = ["evaluation_config", "make_archive", "make_data", "train_config"]

_HEAD = [
    {"name": "LoadPng", "args": {"fields": "image"}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
    {"name": "CenterData", "args": {"fields": "image", "subtrahend": 120.0, "divisor": 60.0}},
]


def make_data(folder: Path, *, cases: int = 24) -> Path:
    """Radiographs with findings; gives the data list."""
    return synthesize(folder, cases=cases, size=32, seed=3, task="classification") / "dataset.json"


def make_archive(
    folder: Path, dataset: Path, *, train: dict[str, Any] | None = None, evaluation: dict[str, Any] | None = None
) -> Path:
    """The archive, ready for ``vesalia train``."""
    for part in ("commands", "config", "docs", "eval", "models", "resources"):
        (folder / part).mkdir(parents=True)
    environment = {
        "DATA_ROOT": str(dataset.parent),
        "DATASET_JSON": str(dataset),
        "PROCESSING_TASK": "classification",
        "MMAR_CKPT_DIR": "models",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
    }
    files = {"environment": environment, "config_train": train or train_config()}
    files["config_validation"] = evaluation or evaluation_config()
    for name, content in files.items():
        (folder / "config" / f"{name}.json").write_text(json.dumps(content, indent=2))
    return folder


def _pipeline(key: str, **more: Any) -> dict[str, Any]:
    arguments = {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": key,
        "output_crop_size": [32, 32],
        "output_data_dims": 2,
        "output_label_format": [1, 1, 1],
        "output_batch_size": 6,
        "num_workers": 1,
        "prefetch_size": 4,
        **more,
    }
    return {"name": "ClassificationImagePipeline", "args": arguments}


def train_config(*, loss: str = "BinaryClassificationLoss") -> dict[str, Any]:
    """A whole train config; one epoch."""
    area = {"name": "Average_AUC", "field": "model", "label_field": "label", "is_key_metric": True}
    narrow = {"num_classes": 3, "num_feat": "8,8,8,8,8,16,16", "final_activation": "sigmoid", "dropout_prob": 0.0}
    return {
        "epochs": 1,
        "num_training_epoch_per_valid": 1,
        "learning_rate": 0.002,
        "use_amp": False,
        "determinism": {"random_seed": 1},
        "train": {
            "loss": {"name": loss},
            "optimizer": {"name": "Adam"},
            "model": {"name": "Alexnet", "args": narrow},
            "aux_ops": [{"name": "ComputeAccuracy", "args": {"tag": "accuracy"}}],
            "pre_transforms": _HEAD,
            "image_pipeline": _pipeline("training"),
        },
        "validate": {
            "pre_transforms": [{"ref": step["name"]} for step in _HEAD],
            "image_pipeline": _pipeline("validation", output_batch_size=1, shuffle=False),
            "inferer": {"name": "TFSimpleInferer"},
            "metrics": [
                {"name": "ComputeAUC", "args": area},
                {"name": "ComputeAverage", "args": {"name": "mean_accuracy", "field": "accuracy"}},
            ],
        },
    }


def evaluation_config() -> dict[str, Any]:
    """A whole evaluation config."""
    return {
        "use_amp": False,
        "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
        "inferer": {"name": "TFSimpleInferer"},
        "pre_transforms": _HEAD,
        "post_transforms": [],
        "label_transforms": [],
        "val_metrics": [
            {"name": "ComputeAUC", "args": {"name": "Average_AUC", "field": "model", "label_field": "label"}},
            {"name": "ComputeAUC", "args": {"name": "effusion_AUC", "field": "model", "class_index": 1}},
        ],
        "writers": [{"name": "WriteClassificationResult", "args": {"field": "model"}}],
    }
