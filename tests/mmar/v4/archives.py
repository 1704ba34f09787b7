"""Archives in the manner of the public ones of v4, written from their tables of components; and their small data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tests.mmar.archives import put
from vesalia.mmar.v4.training import translate_training
from vesalia.mmar.v4.translation import Translation

__all__ = ["ARCHIVES", "EVALUATE", "SPLEEN", "changed", "make", "translated"]

BOTH = ["image", "label"]
PAIR = "lambda x: (x['pred'], x['label'])"


def part(name: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args}


def data(key: str, name: str = "CacheDataset", **args: Any) -> dict[str, Any]:
    return {
        "name": name,
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": key,
        "args": args,
    }


def loader(batch_size: int = 1, **args: Any) -> dict[str, Any]:
    return part("DataLoader", batch_size=batch_size, num_workers=0, **args)


def refs(*names: str) -> list[dict[str, Any]]:
    return [{"ref": name} for name in names]


SOFTMAX = [
    part("Activationsd", keys="pred", softmax=True),
    part("AsDiscreted", keys=["pred", "label"], argmax=[True, False], to_onehot=True, n_classes=2),
]
HANDLERS = [
    {
        "name": "CheckpointLoader",
        "disabled": "{dont_load_ckpt_model}",
        "args": {"load_path": "{MMAR_CKPT}", "load_dict": ["model"]},
    },
    part("LrScheduleHandler", print_lr=True),
    part("ValidationHandler", interval="{num_interval_per_valid}", epoch_level=True),
    {"name": "CheckpointSaver", "rank": 0, "args": {"save_dir": "{MMAR_CKPT_DIR}", "save_dict": ["model"]}},
    {"name": "StatsHandler", "rank": 0, "args": {"tag_name": "loss", "output_transform": "lambda x: x['loss'].item()"}},
    part("TensorBoardStatsHandler", log_dir="{MMAR_CKPT_DIR}"),
]
TOP: dict[str, Any] = {
    "epochs": 1,
    "num_interval_per_valid": 1,
    "learning_rate": 2e-4,
    "multi_gpu": False,
    "amp": True,
    "cudnn_benchmark": False,
    "dont_load_ckpt_model": True,
    "determinism": {"random_seed": 0},
}
DICE = {
    "name": "MeanDice",
    "log_label": "val_mean_dice",
    "is_key_metric": True,
    "args": {"include_background": False, "output_transform": PAIR},
}

SPLEEN: dict[str, Any] = {
    **TOP,
    "train": {
        "loss": part("DiceLoss", to_onehot_y=True, softmax=True, squared_pred=True, batch=True),
        "optimizer": part("Adam", lr="{learning_rate}"),
        "lr_scheduler": part("StepLR", step_size=5000, gamma=0.1),
        "model": part(
            "UNet",
            dimensions=3,
            in_channels=1,
            out_channels=2,
            channels=[4, 8],
            strides=[2],
            num_res_units=1,
            norm="batch",
        ),
        "pre_transforms": [
            part("LoadImaged", keys=BOTH),
            part("EnsureChannelFirstd", keys=BOTH),
            part("ScaleIntensityRanged", keys="image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
            part("CropForegroundd", keys=BOTH, source_key="image"),
            part(
                "RandCropByPosNegLabeld",
                keys=BOTH,
                label_key="label",
                spatial_size=[8, 8, 8],
                pos=1,
                neg=1,
                num_samples=2,
                image_key="image",
                image_threshold=0,
            ),
            part("RandShiftIntensityd", keys="image", offsets=0.1, prob=0.5),
            part("ToTensord", keys=BOTH),
        ],
        "dataset": data("training", cache_num=32, cache_rate=1.0, num_workers=4),
        "dataloader": loader(2, shuffle=True),
        "inferer": {"name": "SimpleInferer"},
        "handlers": HANDLERS,
        "post_transforms": SOFTMAX,
        "metrics": [{"name": "Accuracy", "log_label": "train_acc", "args": {"output_transform": PAIR}}],
        "trainer": part("SupervisedTrainer", max_epochs="{epochs}"),
    },
    "validate": {
        "pre_transforms": refs(
            "LoadImaged", "EnsureChannelFirstd", "ScaleIntensityRanged", "CropForegroundd", "ToTensord"
        ),
        "dataset": data("validation", cache_num=9, cache_rate=1.0),
        "dataloader": loader(shuffle=False),
        "inferer": part("SlidingWindowInferer", roi_size=[8, 8, 8], sw_batch_size=4, overlap=0.5),
        "handlers": [part("StatsHandler", output_transform="lambda x: None"), part("CheckpointSaver")],
        "post_transforms": refs("Activationsd", "AsDiscreted"),
        "metrics": [DICE],
        "evaluator": {"name": "SupervisedEvaluator"},
    },
}
"""Spleen in CT, 4.0: implicit wiring, known lambdas, a U-Net."""

BRATS: dict[str, Any] = {
    **TOP,
    "amp": False,
    "train": {
        "loss": part("DiceLoss", to_onehot_y=False, sigmoid=True, squared_pred=True, smooth_nr=0.0, smooth_dr=1e-5),
        "optimizer": part("Adam", lr="{learning_rate}", weight_decay=1e-5),
        "lr_scheduler": part("CosineAnnealingLR", T_max="{epochs}"),
        "model": part(
            "SegResNet",
            init_filters=8,
            in_channels=4,
            out_channels=3,
            dropout_prob=0.2,
            blocks_down=[1, 1],
            blocks_up=[1],
        ),
        "pre_transforms": [
            part("LoadImaged", keys=BOTH),
            part("EnsureChannelFirstd", keys="image"),
            part("ConvertToMultiChannelBasedOnBratsClassesd", keys="label"),
            part("Spacingd", keys=BOTH, pixdim=[1.0, 1.0, 2.0], mode=["bilinear", "nearest"]),
            part("Orientationd", keys=BOTH, axcodes="RAS"),
            part("RandSpatialCropd", keys=BOTH, roi_size=[8, 8, 8], random_size=False),
            *(part("RandFlipd", keys=BOTH, prob=0.5, spatial_axis=axis) for axis in range(3)),
            part("NormalizeIntensityd", keys="image", nonzero=True, channel_wise=True),
            part("RandScaleIntensityd", keys="image", factors=0.1, prob=1.0),
            part("RandShiftIntensityd", keys="image", offsets=0.1, prob=1.0),
        ],
        "dataset": data("training", "Dataset"),
        "dataloader": loader(1, shuffle=True),
        "inferer": {"name": "SimpleInferer"},
        "handlers": HANDLERS,
        "trainer": {"name": "SupervisedTrainer", "args": {"max_epochs": "{epochs}"}},
    },
    "validate": {
        "pre_transforms": [
            *refs("LoadImaged", "EnsureChannelFirstd", "ConvertToMultiChannelBasedOnBratsClassesd", "Spacingd"),
            *refs("Orientationd", "NormalizeIntensityd"),
        ],
        "dataset": data("validation", "Dataset"),
        "dataloader": loader(),
        "inferer": part("SlidingWindowInferer", roi_size=8, sw_batch_size=1, overlap=0.5),
        "post_transforms": [
            part("Activationsd", keys="pred", sigmoid=True),
            part("AsDiscreted", keys="pred", threshold_values=True, logit_thresh=0.5),
            part("SplitChanneld", keys=["pred", "label"], output_postfixes=["tc", "wt", "et"]),
        ],
        "metrics": [
            {**DICE, "args": {"include_background": True, "output_transform": PAIR}},
            {
                "name": "MeanDice",
                "log_label": "dice_tc",
                "args": {"output_transform": "lambda x: (x['pred_tc'], x['label_tc'])"},
            },
        ],
    },
}
"""Brain tumours in MR, 4.0: four channels, three regions that overlap."""

LIVER: dict[str, Any] = {
    **TOP,
    "CLARA_TRAIN_VERSION": "4.1",
    "amp": False,
    "train": {
        "loss": part("DiceCELoss", to_onehot_y=True, softmax=True),
        "optimizer": part("Novograd", params="#@model.parameters()", lr="{learning_rate}"),
        "lr_scheduler": part("PolynomialLR", optimizer="@optimizer", total_iters="{epochs}", power=0.9),
        "model": part(
            "BasicUNet", spatial_dims=3, in_channels=1, out_channels=3, features=[4, 4, 4, 4, 4, 4], norm="batch"
        ),
        "pre_transforms": [
            part("LoadImaged", keys=BOTH, ensure_channel_first=True),
            part("Orientationd", keys=BOTH, axcodes="RAS"),
            part("ScaleIntensityRanged", keys="image", a_min=-21, a_max=189, b_min=0.0, b_max=1.0, clip=True),
            part("RandCropByPosNegLabeld", keys=BOTH, label_key="label", spatial_size=[16, 16, 16], num_samples=2),
            part("RandAxisFlipd", keys=BOTH, prob=0.5),
            part("RandRotate90d", keys=BOTH, prob=0.1, max_k=3),
            part("EnsureTyped", keys=BOTH),
        ],
        "dataset": data("training", "SmartCacheDataset", cache_num=3, replace_rate=0.34, transform="@pre_transforms"),
        "dataloader": loader(1, dataset="@dataset", shuffle=True, pin_memory=True),
        "inferer": {"name": "SimpleInferer"},
        "handlers": [
            part("LrScheduleHandler", lr_scheduler="@lr_scheduler", print_lr=True),
            part("ValidationHandler", validator="@evaluator", interval="{num_interval_per_valid}"),
            part("StatsHandler", tag_name="loss", output_transform="#monai.handlers.from_engine(['loss'], first=True)"),
            part("SmartCacheHandler", smart_cacher="@dataset"),
        ],
        "key_metric": part("Accuracy", output_transform="#monai.handlers.from_engine(['pred', 'label'])"),
        "trainer": part(
            "SupervisedTrainer",
            device="#torch.device('cuda')",
            max_epochs="{epochs}",
            train_data_loader="@dataloader",
            network="@model",
            amp="{amp}",
            key_train_metric={"train_acc": "@key_metric"},
        ),
    },
    "validate": {
        "pre_transforms": refs("LoadImaged", "Orientationd", "ScaleIntensityRanged", "EnsureTyped"),
        "dataset": data("validation", "CacheDataset"),
        "dataloader": loader(dataset="@dataset"),
        "inferer": part("SlidingWindowInferer", roi_size=[16, 16, 16]),
        "post_transforms": [
            part("Activationsd", keys="pred", softmax=True),
            part("AsDiscreted", keys=["pred", "label"], argmax=[True, False], to_onehot=3),
        ],
        "key_metric": part(
            "MeanDice", include_background=False, output_transform="#monai.handlers.from_engine(['pred', 'label'])"
        ),
        "additional_metrics": [part("Accuracy", output_transform="#from_engine(['pred', 'label'])")],
        "evaluator": part("SupervisedEvaluator", val_data_loader="@dataloader", network="@model", inferer="@inferer"),
    },
}
"""Liver and tumour in CT, 4.1: references, known expressions, a moving cache."""

PROSTATE: dict[str, Any] = {
    **TOP,
    "train": {
        "loss": part("DiceFocalLoss", to_onehot_y=True, softmax=True),
        "optimizer": part("AdamW", lr="{learning_rate}", weight_decay=1e-4),
        "lr_scheduler": part("ReduceLROnPlateau", factor=0.5, patience=4),
        "model": part(
            "DynUNet",
            spatial_dims=3,
            in_channels=1,
            out_channels=3,
            kernel_size=[3, 3, 3],
            strides=[1, 2, 2],
            upsample_kernel_size=[2, 2],
            filters=[4, 8, 8],
        ),
        "pre_transforms": [
            part("LoadImaged#Load", keys=BOTH),
            part("AddChanneld", keys=BOTH),
            part("Spacingd", keys=BOTH, pixdim=[1.0, 1.0, 2.0], mode=["bilinear", "nearest"]),
            part("NormalizeIntensityd", keys="image", nonzero=True),
            part("SpatialPadd", keys=BOTH, spatial_size=[16, 16, 16]),
            part("RandSpatialCropSamplesd", keys=BOTH, roi_size=[8, 8, 8], num_samples=2, random_size=False),
            part("RandGaussianNoised", keys="image", prob=0.5, std=0.05),
        ],
        "dataset": data("training"),
        "dataloader": loader(2, shuffle=True),
        "handlers": HANDLERS,
    },
    "validate": {
        "pre_transforms": refs("Load", "AddChanneld", "Spacingd", "NormalizeIntensityd"),
        "dataset": data("validation"),
        "dataloader": loader(),
        "inferer": part("SlidingWindowInferer", roi_size=[8, 8, 8]),
        "post_transforms": [
            part("AsDiscreted", keys=["pred", "label"], argmax=[True, False], to_onehot=True, n_classes=3)
        ],
        "metrics": [DICE],
    },
}
"""Prostate zones in MR, 4.0: an alias, a schedule that watches the metric, crops of several samples."""

EVALUATE: dict[str, Any] = {
    "amp": False,
    "dont_load_ts_model": False,
    "dont_load_ckpt_model": True,
    "validate": {
        "model": [
            {"ts_path": "{MMAR_TORCHSCRIPT}", "disabled": "{dont_load_ts_model}"},
            {"ckpt_path": "{MMAR_CKPT}", "disabled": "{dont_load_ckpt_model}"},
        ],
        "pre_transforms": [
            part("LoadImaged", keys=BOTH),
            part("EnsureChannelFirstd", keys=BOTH),
            part("ScaleIntensityRanged", keys="image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
            part("CropForegroundd", keys=BOTH, source_key="image"),
        ],
        "dataset": data("validation", "Dataset"),
        "dataloader": loader(),
        "inferer": part("SlidingWindowInferer", roi_size=[8, 8, 8], sw_batch_size=4, overlap=0.5),
        "post_transforms": [
            *SOFTMAX,
            part("SaveImaged", keys="pred", output_dir="{MMAR_EVAL_OUTPUT_PATH}", resample=False),
        ],
        "metrics": [DICE],
        "handlers": [part("CheckpointLoader", load_path="{MMAR_CKPT}"), part("MetricsSaver", save_dir="x")],
        "evaluator": {"name": "SupervisedEvaluator"},
    },
}
"""The spleen's validation: judged on the network's grid, and written."""

ARCHIVES = {"spleen": SPLEEN, "brats": BRATS, "liver": LIVER, "prostate": PROSTATE}
_LABELS = {"spleen": 1, "brats": 4, "liver": 2, "prostate": 2}


def changed(config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A copy of a config with changes; dots in key paths are written ``__``, and None takes a key away."""
    new = copy.deepcopy(config)
    for key, value in changes.items():
        put(new, key.replace("__", "."), value)
    return new


def translated(config: dict[str, Any], **changes: Any) -> Translation:
    """A training config's translation, its variables left as they stand."""
    values = {name: value for name, value in config.items() if not isinstance(value, dict | list)}
    return translate_training(changed(config, **changes), "config/config_train.json", values=values, count=lambda *_: 4)


def make(root: Path, name: str = "spleen", *, train: Any = None, evaluate: Any = None) -> Path:
    """An archive with data for it."""
    channels = 4 if name == "brats" else 1
    _make_data(root / "data", channels=channels, largest=_LABELS[name])
    config = root / "mmar" / "config"
    config.mkdir(parents=True)
    environment = {
        "DATA_ROOT": str(root / "data"),
        "DATASET_JSON": str(root / "data" / "dataset.json"),
        "PROCESSING_TASK": "segmentation",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
        "MMAR_CKPT_DIR": "models",
        "MMAR_CKPT": "models/model.pt",
        "MMAR_TORCHSCRIPT": "models/model.ts",
    }
    texts = {"environment": environment, "config_train": train or ARCHIVES[name], "config_validation": evaluate}
    for file, content in texts.items():
        if content is not None:
            (config / f"{file}.json").write_text(json.dumps(content), encoding="utf-8")
    return root / "mmar"


def _make_data(folder: Path, *, channels: int, largest: int) -> None:
    dice = np.random.default_rng(3)
    affine = np.diag([-1.0, -1.0, 1.5, 1.0])
    folder.mkdir(parents=True)
    items = []
    for number in range(6):
        label = np.zeros((16, 16, 16), np.uint8)
        label[4:12, 4:12, 4:12] = 1
        label[6:9, 6:9, 6:9] = largest
        image = np.stack([100.0 * (label > 0) + dice.normal(20, 10, label.shape) for _ in range(channels)], axis=-1)
        item = {"image": f"image{number}.nii.gz", "label": f"label{number}.nii.gz"}
        stored = image if channels > 1 else image[..., 0]
        nib.save(nib.Nifti1Image(stored.astype(np.float32), affine), folder / item["image"])
        nib.save(nib.Nifti1Image(label, affine), folder / item["label"])
        items.append(item)
    listed = {"training": items[:4], "validation": items[4:]}
    (folder / "dataset.json").write_text(json.dumps(listed), encoding="utf-8")
