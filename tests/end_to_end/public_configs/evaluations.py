"""The evaluation configs that come with the public training configs: each belongs to one of those."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.public_configs.pieces import Config, component, window

__all__ = ["EVALUATIONS", "PublicEvaluation"]

_REPORT = "{MMAR_EVAL_OUTPUT_PATH}"
_CHECKPOINT = component("CheckpointLoader", checkpoint_dir="{MMAR_CKPT_DIR}")
_FROZEN = component("FrozenGraphModelLoader", model_file_path="{MMAR_CKPT_DIR}/model.trt.pb")


@dataclass(frozen=True)
class PublicEvaluation:
    """An evaluation config.

    Attributes:
        model: The training config whose model it judges.
        config: What is in it.
        reports: The metrics that write reports.
        written: What lies beside each other for a subject after inference, as ``{subject}_{field}.nii.gz``.
    """

    model: str
    config: Config
    reports: tuple[str, ...] = ()
    written: tuple[str, ...] = ()


def _dice(name: str, field: str, label_field: str, **more: Any) -> Config:
    return component("ComputeAverageDice", name=name, field=field, label_field=label_field, report_path=_REPORT, **more)


def _write(field: str) -> Config:
    return component("WriteNifti", field=field, dtype="uint8", write_path=_REPORT)


def _image(size: int = 160, *, loader: Config = _CHECKPOINT) -> Config:
    """What all on CT share up to the prediction."""
    return {
        "use_scanning_window": True,
        "multi_gpu": False,
        "batch_size": 1,
        "inferer": window(size),
        "model_loader": loader,
        "pre_transforms": [
            component("LoadNifti", fields="image"),
            component("ConvertToChannelsFirst", fields="image"),
            component("ScaleByResolution", fields="image", target_resolution=[1.0, 1.0, 1.0]),
            component("ScaleIntensityRange", fields="image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
        ],
    }


def _split(loader: Config) -> Config:
    """Three class names for a network of two classes."""
    classes = ("class0", "class1", "class2")
    return {
        **_image(loader=loader),
        "post_transforms": [
            component("ArgmaxAcrossChannels", fields="model"),
            component("SplitBasedOnLabel", field="model", label_names=[f"pred_{name}" for name in classes]),
            component(
                "CopyProperties",
                fields=[f"pred_{name}" for name in classes[1:]],
                from_field="image",
                properties=["affine"],
            ),
        ],
        "label_transforms": [
            component("LoadNifti", fields="label"),
            component("ConvertToChannelsFirst", fields="label"),
            component("ScaleByResolution", fields="label", target_resolution=[1.0, 1.0, 1.0], is_label=True),
            component("SplitBasedOnLabel", field="label", label_names=list(classes)),
        ],
        "val_metrics": [_dice(f"mean_dice_{name}", f"pred_{name}", name) for name in classes[1:]],
        "writers": [_write("pred_class1")],
    }


def _restored(loader: Config) -> Config:
    """Judged on the grid of the file, the label as it was drawn; prediction and label may have one name."""
    return {
        **_image(loader=loader),
        "use_amp": True,
        "DATA_LIST_KEY": "validation",
        "post_transforms": [
            component("ArgmaxAcrossChannels", fields="model"),
            component("KeepLargestCC", fields="model"),
            component("RestoreOriginalShape", field="model", src_field="image", is_label=True),
            component("CopyProperties", fields=["model"], from_field="image", properties=["affine"]),
        ],
        "label_transforms": [
            component("LoadNifti", fields="label"),
            component("ConvertToChannelsFirst", fields="label"),
        ],
        "val_metrics": [_dice("mean_dice", "model", "label", is_2d=False), _dice("itself", "model", "model")],
        "writers": [_write("model")],
    }


def _tumours() -> Config:
    """Three overlapping regions, each thresholded by itself."""
    regions = ("tc", "wt", "et")
    return {
        "batch_size": 1,
        "inferer": {"name": "TFSimpleInferer"},
        "model_loader": _CHECKPOINT,
        "pre_transforms": [
            component("LoadNifti", fields=["image"]),
            component("ConvertToChannelsFirst", fields=["image"]),
            component("NormalizeNonzeroIntensities", fields="image"),
        ],
        "post_transforms": [
            component("ThresholdValues", fields="model", threshold=0.5),
            component("SplitAcrossChannels", field="model", channel_names=[f"pred_{name}" for name in regions]),
            component("CopyProperties", fields=[f"pred_{name}" for name in regions], from_field="image"),
        ],
        "label_transforms": [
            component("LoadNifti", fields="label"),
            component("ConvertToChannelsFirst", fields="label"),
            component("SplitBasedOnBratsClasses", field="label", label_names=[f"label_{name}" for name in regions]),
        ],
        "val_metrics": [_dice(f"dice_{name}", f"pred_{name}", f"label_{name}") for name in regions],
        "writers": [_write("pred_wt")],
    }


def _polyps() -> Config:
    """Colour pictures, channels last."""
    return {
        "batch_size": 1,
        "multi_gpu": False,
        "inferer": component("TFScanWindowInferer", roi_size=[64, 64]),
        "model_loader": _CHECKPOINT,
        "pre_transforms": [
            component("LoadPng", fields="image"),
            component("ConvertToChannelsLast", fields="image"),
            component("ScaleIntensityRange", fields="image", a_min=0, a_max=255, b_min=0.0, b_max=1.0, clip=True),
        ],
        "post_transforms": [
            component("ThresholdValues", fields="model", threshold=0.5),
            component("SplitAcrossChannels", field="model", channel_names=["polyp"]),
        ],
        "label_transforms": [
            component("LoadPng", fields="label"),
            component("ConvertToChannelsLast", fields="label"),
            component("ThresholdValues", fields="label", threshold=0.5),
        ],
        "val_metrics": [_dice("mean_dice", "polyp", "label", is_2d=True, remove_bg=False)],
        "writers": [component("WritePng", field="polyp", dtype="uint8", write_path=_REPORT)],
    }


def _findings() -> Config:
    auc = {"field": "model", "label_field": "label", "report_path": _REPORT}
    return {
        "batch_size": 1,
        "multi_gpu": False,
        "inferer": {"name": "TFSimpleInferer"},
        "model_loader": _CHECKPOINT,
        "pre_transforms": [
            component("LoadPng", fields=["image"]),
            component("ConvertToChannelsFirst", fields=["image"]),
            component("ScaleToShape", fields=["image"], target_shape=[224, 224]),
            component("CenterData", fields=["image"], subtrahend=[2876.37] * 3, divisor=[883.0] * 3),
        ],
        "post_transforms": [],
        "label_transforms": [],
        "val_metrics": [
            component("ComputeAUC", name="Average_AUC", auc_average="macro", **auc),
            component("ComputeAUC", name="Nodule", class_index=0, **auc),
        ],
        "writers": [component("WriteClassificationResult", field="model", write_path=_REPORT)],
    }


_CLASSES = ("mean_dice_class1", "mean_dice_class2")

EVALUATIONS: Mapping[str, PublicEvaluation] = {
    "GettingStarted/config_validation": PublicEvaluation(
        "GettingStarted/trn_base", _split(_FROZEN), _CLASSES, ("pred_class1.nii.gz",)
    ),
    "Performance/config/config_validation": PublicEvaluation(
        "Performance/config/trn_BT_cache", _split(_CHECKPOINT), _CLASSES, ("pred_class1.nii.gz",)
    ),
    "FL/adminMMAR/config_validation": PublicEvaluation(
        "FL/adminMMAR/config_train",
        {**_split(_CHECKPOINT), "DATA_LIST_KEY": "validation"},
        _CLASSES,
        ("pred_class1.nii.gz",),
    ),
    "AutoML/config_validation": PublicEvaluation(
        "AutoML/trn_autoML_Enum", _split(_FROZEN), _CLASSES, ("pred_class1.nii.gz",)
    ),
    "HeaortaNet/config_validation": PublicEvaluation(
        "HeaortaNet/config_train", _split(_CHECKPOINT), _CLASSES, ("pred_class1.nii.gz",)
    ),
    "Clara-Train-Spleen/config_validation": PublicEvaluation(
        "Performance/config/trn_base", _restored(_CHECKPOINT), ("mean_dice", "itself"), ("model.nii.gz",)
    ),
    "BraTS/config_validation": PublicEvaluation(
        "BraTS/config_train", _tumours(), ("dice_tc", "dice_wt", "dice_et"), ("pred_wt.nii.gz",)
    ),
    "clara-train_colonoscopy/config_validation": PublicEvaluation(
        "clara-train_colonoscopy/config_train", _polyps(), ("mean_dice",), ("polyp.png",)
    ),
    "classification_chestxray/config_validation": PublicEvaluation(
        "classification_chestxray/config_train", _findings(), ("Average_AUC", "Nodule"), ()
    ),
}
