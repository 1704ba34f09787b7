"""``config/config_validation.json`` of a new archive: how a trained model is judged and used."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vesalia.datatools.sizing import Sizes
from vesalia.datatools.train_template import intensity_step, loading_step

__all__ = ["evaluate_config"]

Json = dict[str, Any]
_EVAL = "{MMAR_EVAL_OUTPUT_PATH}"


def evaluate_config(sizes: Sizes, class_names: Sequence[str]) -> Json:
    """The evaluation config: resampled as in training, judged and written on the original grid.

    Args:
        sizes: The archive's numbers.
        class_names: A name per class, the background's first.
    """
    indices = range(len(class_names))
    predicted, drawn = [f"pred_class{i}" for i in indices], [f"label_class{i}" for i in indices]
    roi = {"roi_size": list(sizes.crop), "batch_size": 2}
    return {
        "batch_size": 1,
        "use_amp": False,
        "DATA_LIST_KEY": "validation",
        "inferer": {"name": "TFScanWindowInferer", "args": roi},
        "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
        "pre_transforms": _pre_transforms(sizes),
        "post_transforms": [
            {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": False}},
            {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
            {"name": "SplitBasedOnLabel", "args": {"field": "model", "label_names": predicted}},
        ],
        "label_transforms": [
            {"name": "LoadNifti", "args": {"fields": "label"}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": "label"}},
            {"name": "SplitBasedOnLabel", "args": {"field": "label", "label_names": drawn}},
        ],
        "val_metrics": _metrics(class_names),
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8", "write_path": _EVAL}}],
    }


def _pre_transforms(sizes: Sizes) -> list[Json]:
    spacing = list(sizes.spacing_mm)
    return [
        loading_step(sizes, fields="image"),
        {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
        {"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": spacing}},
        intensity_step(sizes, fields="image"),
    ]


def _metrics(class_names: Sequence[str]) -> list[Json]:
    """The mean over the classes, then one metric per class but the background."""
    mean: Json = {"name": "mean_dice", "field": "model", "label_field": "label", "num_classes": len(class_names)}
    single: list[Json] = [
        {"name": name, "field": f"pred_class{index}", "label_field": f"label_class{index}"}
        for index, name in enumerate(_metric_names(class_names))
        if index
    ]
    return [{"name": "ComputeAverageDice", "args": {**args, "report_path": _EVAL}} for args in (mean, *single)]


def _metric_names(class_names: Sequence[str]) -> list[str]:
    """``dice_left_kidney`` for "Left kidney"; with the number where two names would be one."""
    plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in class_names]
    return [
        f"dice_{name}" if name and plain.count(name) == 1 else f"dice_class{index}" for index, name in enumerate(plain)
    ]
