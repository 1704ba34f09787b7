"""``config/config_train.json`` of a new archive, one function per section."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from vesalia.datatools.sizing import MODEL, Sizes

__all__ = ["intensity_step", "loading_step", "train_config"]

Json = dict[str, Any]
_BOTH = ["image", "label"]


def train_config(sizes: Sizes) -> Json:
    """The training config for data of these sizes."""
    return {
        "epochs": sizes.epochs,
        "num_training_epoch_per_valid": sizes.epochs_per_validation,
        "learning_rate": 0.002,
        "multi_gpu": False,
        "use_amp": True,
        "train": _train(sizes),
        "validate": _validate(sizes),
    }


def intensity_step(sizes: Sizes, *, fields: str) -> Json:
    """Densities to about 0..1: one window for every CT, each MR image by its own mean and deviation."""
    if sizes.window_hu is None:
        return {"name": "NormalizeNonzeroIntensities", "args": {"fields": fields}}
    low, high = sizes.window_hu
    window = {"a_min": low, "a_max": high, "b_min": 0.0, "b_max": 1.0, "clip": True}
    return {"name": "ScaleIntensityRange", "args": {"fields": fields, **window}}


def loading_step(sizes: Sizes, *, fields: str | list[str]) -> Json:
    """Reading files, axes turned towards R, A, S where those of the data point different ways."""
    turn = {"as_closest_canonical": True} if sizes.is_canonical else {}
    return {"name": "LoadNifti", "args": {"fields": fields, **turn}}


def _train(sizes: Sizes) -> Json:
    return {
        "loss": {"name": "CrossEntropyDice"},
        "optimizer": {"name": "Adam"},
        "lr_policy": {"name": "ReducePoly", "args": {"poly_power": 0.9}},
        "model": {"name": MODEL, "args": {"num_classes": sizes.num_classes, **sizes.widths}},
        "pre_transforms": [*_loading(sizes), *_augmenting(sizes)],
        "batch_transforms": [{"name": "MergeBatchDims", "args": {"fields": _BOTH}}],
        "image_pipeline": {
            "name": "SegmentationImagePipelineWithCache",
            "args": {
                **_data_list("training"),
                "output_crop_size": list(sizes.crop),
                "output_batch_size": sizes.items_per_batch,
                "batched_by_transforms": False,
                "output_image_channels": sizes.channels,
                "num_cache_objects": sizes.cached_items,
                "replace_percent": sizes.replace_percent,
                "num_workers": 2,
                "prefetch_size": 4,
            },
        },
    }


def _loading(sizes: Sizes) -> list[Json]:
    """What does not change from epoch to epoch, and is cached."""
    spacing = list(sizes.spacing_mm)
    return [
        loading_step(sizes, fields=_BOTH),
        {"name": "ConvertToChannelsFirst", "args": {"fields": _BOTH}},
        {"name": "ScaleByResolution#ScaleImage", "args": {"fields": "image", "target_resolution": spacing}},
        {
            "name": "ScaleByResolution#ScaleLabel",
            "args": {"fields": "label", "target_resolution": spacing, "is_label": True},
        },
        intensity_step(sizes, fields="image"),
    ]


def _augmenting(sizes: Sizes) -> list[Json]:
    """What is drawn afresh each time."""
    crop = {"size": list(sizes.crop), "fields": "image", "label_field": "label", "pos": 1, "neg": 1}
    return [
        {"name": "FastCropByPosNegRatio", "args": {**crop, "batch_size": sizes.crops_per_item}},
        *([{"name": "RandomSpatialFlip", "args": {"fields": _BOTH}}] if sizes.is_mirrored else []),
        {"name": "ScaleShiftIntensity", "args": {"fields": "image"}},
        {"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 0.1, "probability": 1.0}},
    ]


def _validate(sizes: Sizes) -> Json:
    loading = [step["name"].rpartition("#")[2] for step in _loading(sizes)]
    metric = {"name": "mean_dice", "is_key_metric": True, "field": "model", "label_field": "label"}
    return {
        "pre_transforms": [{"ref": name} for name in loading],
        "image_pipeline": _validation_pipeline(sizes),
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": list(sizes.crop), "batch_size": 2}},
        "metrics": [{"name": "ComputeAverageDice", "args": metric}],
    }


def _validation_pipeline(sizes: Sizes) -> Json:
    args = {
        **_data_list("validation"),
        "output_crop_size": [-1, -1, -1],
        "output_batch_size": 1,
        "output_image_channels": sizes.channels,
        "shuffle": False,
        "num_workers": 2,
        "prefetch_size": 4,
    }
    if not sizes.cache_validation:
        return {"name": "SegmentationImagePipeline", "args": args}
    cache = {"num_cache_objects": sizes.validation_items, "replace_percent": 0.0}
    return {"name": "SegmentationImagePipelineWithCache", "args": {**args, **cache}}


def _data_list(key: str) -> Json:
    return {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": key,
    }
