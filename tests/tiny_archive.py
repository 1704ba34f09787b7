"""An archive that trains in a second: bright balls in 16-voxel images, a network of some hundred weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

__all__ = ["make_archive", "make_data", "read_config", "write_config"]

SIZE = 16
CROP = [8, 8, 8]
TRAINING, VALIDATION = 4, 2


def make_data(folder: Path) -> Path:
    """Images and labels with a Decathlon-style list; returns the list."""
    dice = np.random.default_rng(7)
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    grid = np.stack(np.meshgrid(*[np.arange(SIZE)] * 3, indexing="ij"))
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    items = []
    for number in range(TRAINING + VALIDATION):
        centre = dice.uniform(6, 10, size=3).reshape(3, 1, 1, 1)
        label = (np.linalg.norm(grid - centre, axis=0) < 4).astype(np.uint8)
        image = (100 * label + dice.normal(0, 10, label.shape)).astype(np.float32)
        item = {"image": f"imagesTr/case_{number}.nii.gz", "label": f"labelsTr/case_{number}.nii.gz"}
        nib.save(nib.Nifti1Image(image, affine), folder / item["image"])
        nib.save(nib.Nifti1Image(label, affine), folder / item["label"])
        items.append(item)
    listed = {
        "name": "balls",
        "labels": {"0": "background", "1": "ball"},
        "training": items[:TRAINING],
        "validation": items[TRAINING:],
    }
    (folder / "dataset.json").write_text(json.dumps(listed))
    return folder / "dataset.json"


def make_archive(folder: Path, dataset: Path) -> Path:
    """The archive, ready for ``vesalia train``."""
    for part in ("commands", "config", "docs", "eval", "models", "resources"):
        (folder / part).mkdir(parents=True)
    environment = {
        "DATA_ROOT": str(dataset.parent),
        "DATASET_JSON": str(dataset),
        "PROCESSING_TASK": "segmentation",
        "MMAR_CKPT_DIR": "models",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
    }
    (folder / "config" / "environment.json").write_text(json.dumps(environment))
    (folder / "config" / "config_train.json").write_text(json.dumps(_train_config(), indent=2))
    (folder / "config" / "config_validation.json").write_text(json.dumps(_validation_config(), indent=2))
    return folder


def read_config(archive: Path, name: str = "config_train.json") -> dict[str, Any]:
    """A config of the archive."""
    found: dict[str, Any] = json.loads((archive / "config" / name).read_text())
    return found


def write_config(archive: Path, config: dict[str, Any], name: str = "config_train.json") -> None:
    """Put a changed config into the archive."""
    (archive / "config" / name).write_text(json.dumps(config))


def _pipeline(key: str, size: list[int], batch: int, **more: Any) -> dict[str, Any]:
    arguments = {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": key,
        "output_crop_size": size,
        "output_batch_size": batch,
        "num_workers": 1,
        "prefetch_size": 2,
        **more,
    }
    return {"name": "SegmentationImagePipeline", "args": arguments}


def _intensities(fields: str | list[str]) -> dict[str, Any]:
    return {
        "name": "ScaleIntensityRange",
        "args": {"fields": fields, "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": True},
    }


def _train_config() -> dict[str, Any]:
    both = {"fields": ["image", "label"]}
    dice = {"name": "mean_dice", "field": "model", "label_field": "label", "is_key_metric": True}
    network = {
        "num_classes": 2,
        "blocks_down": "1,1",
        "blocks_up": "1",
        "init_filters": 4,
        "use_group_normG": 2,
        "dropout_prob": 0.1,
    }
    return {
        "epochs": 4,
        "num_training_epoch_per_valid": 2,
        "learning_rate": 0.02,
        "use_amp": False,
        "train": {
            "loss": {"name": "Dice"},
            "optimizer": {"name": "Adam"},
            "lr_policy": {"name": "ReducePoly", "args": {"poly_power": 0.9}},
            "model": {"name": "SegResnet", "args": network},
            "pre_transforms": [
                {"name": "LoadNifti", "args": both},
                {"name": "ConvertToChannelsFirst", "args": both},
                _intensities("image"),
                {"name": "CropFixedSizeRandomCenter", "args": {**both, "size": CROP}},
                {"name": "RandomSpatialFlip", "args": both},
                {"name": "ScaleShiftIntensity", "args": {"fields": "image"}},
            ],
            "image_pipeline": _pipeline("training", CROP, 2),
        },
        "validate": {
            "pre_transforms": [{"ref": "LoadNifti"}, {"ref": "ConvertToChannelsFirst"}, {"ref": "ScaleIntensityRange"}],
            "image_pipeline": _pipeline("validation", [-1, -1, -1], 1, shuffle=False),
            "inferer": {"name": "TFSimpleInferer"},
            "metrics": [{"name": "ComputeAverageDice", "args": dice}],
        },
    }


def _validation_config() -> dict[str, Any]:
    return {
        "batch_size": 1,
        "use_amp": False,
        "DATA_LIST_KEY": "validation",
        "inferer": {"name": "TFSimpleInferer"},
        "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
        "pre_transforms": [
            {"name": "LoadNifti", "args": {"fields": "image"}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
            _intensities("image"),
        ],
        "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
        "label_transforms": [
            {"name": "LoadNifti", "args": {"fields": "label"}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": "label"}},
        ],
        "val_metrics": [
            {
                "name": "ComputeAverageDice",
                "args": {"name": "mean_dice", "field": "model", "label_field": "label", "num_classes": 2},
            }
        ],
        "writers": [
            {
                "name": "WriteNifti",
                "args": {"field": "model", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
            }
        ],
    }
