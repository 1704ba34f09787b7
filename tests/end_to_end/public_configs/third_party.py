"""Archives that others published: spleen with AHNet, polyps in colour pictures, the heart and aorta, brain tumours."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from tests.end_to_end.public_configs.pieces import (
    BOTH,
    STANDARD_REFS,
    Config,
    PublicConfig,
    component,
    crop_fast,
    dice_metric,
    merge,
    pipeline,
    refs,
    standard_head,
    window,
)

__all__ = ["CONFIGS"]

_SEG, _CACHE = "SegmentationImagePipeline", "SegmentationImagePipelineWithCache"


def _ahnet(num_classes: int = 2, **more: Any) -> Config:
    return component(
        "SegAhnet",
        num_classes=num_classes,
        if_use_psp=False,
        pretrain_weight_name="{PRETRAIN_WEIGHTS_FILE}",
        plane="z",
        final_activation="softmax",
        n_spatial_dim=3,
        **more,
    )


def _spleen_ahnet() -> Config:
    """The spleen of the model registry, as it was published by a user."""
    return {
        "epochs": 1250,
        "num_training_epoch_per_valid": 20,
        "learning_rate": "0.0001",
        "multi_gpu": False,
        "use_amp": True,
        "use_scanning_window": True,
        "train": {
            "loss": component("Dice"),
            "optimizer": {"name": "Adam"},
            "lr_policy": component("DecayOnStep", decay_ratio=0.1, decay_freq=50000),
            "model": _ahnet(),
            "aux_ops": [
                component("ComputeDice", is_onehot_targets=False, is_independent_predictions=False, tag="dice"),
            ],
            "pre_transforms": [
                *standard_head(),
                crop_fast(96, 3, batches_to_gen_at_once=10),
                component("RandomAxisFlip", fields=list(BOTH), probability=0.0),
                component("RandomRotate3D", fields=list(BOTH), probability=0.0),
                component("ScaleIntensityOscillation", fields="image", magnitude=0.10),
            ],
            "image_pipeline": pipeline(
                "training",
                96,
                0,
                name=_CACHE,
                batched_by_transforms=True,
                num_workers=6,
                prefetch_size=10,
                num_cache_objects=20,
                replace_percent=0.25,
                caches_data=True,
                output_data_format="channels_first",
                output_data_dims=3,
                output_image_channels=1,
                output_label_channels=1,
            ),
        },
        "validate": {
            "metrics": [
                dice_metric(report_path="{MMAR_CKPT_DIR}"),
                component("ComputeAverage", name="val_dice_windows", field="dice"),
            ],
            "pre_transforms": refs(*STANDARD_REFS),
            "image_pipeline": pipeline(
                "validation",
                [-1, -1, -1],
                1,
                num_workers=3,
                prefetch_size=4,
                output_image_channels=4,
                shuffle=False,
            ),
            "inferer": window(160, batch_size=1),
        },
    }


def _colonoscopy() -> Config:
    """Colour pictures, channels last, one class."""
    last = {"data_format": "channels_last"}
    return {
        "epochs": 100,
        "num_training_epoch_per_valid": 5,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "train": {
            "loss": component("Dice", is_onehot_targets=False, **last),
            "optimizer": {"name": "Adam"},
            "model": component(
                "SegAhnet",
                num_classes=1,
                if_use_psp=False,
                pretrain_weight_name="",
                final_activation="sigmoid",
                n_spatial_dim=2,
                **last,
            ),
            "aux_ops": [
                component("ComputeDice", tag="dice", is_onehot_targets=False, is_independent_predictions=True, **last)
            ],
            "pre_transforms": [
                component("LoadPng", fields=list(BOTH)),
                component("ConvertToChannelsLast", fields=list(BOTH)),
                component("ScaleByFactor", fields=list(BOTH), factor=0.5),
                component("ScaleIntensityRange", fields="image", a_min=0, a_max=255, b_min=0.0, b_max=1.0, clip=True),
                component("ThresholdValues", fields="label", threshold=0.5),
                component("SymmetricPadderDiv", fields=list(BOTH), div_int=32),
                component("RandomRotate2D", fields=list(BOTH), angle=10, is_random=True),
                component(
                    "CropRandomSizeWithDisplacement", fields=list(BOTH), lower_size=[64, 64], max_displacement=16
                ),
                component("ScaleToShape#ScaleImg", fields="image", target_shape=[64, 64]),
                component("ScaleToShape#ScaleLb", fields="label", target_shape=[64, 64], is_label=True),
                component("RandomSpatialFlip", fields=list(BOTH)),
            ],
            "image_pipeline": pipeline(
                "training",
                [64, 64],
                8,
                batched_by_transforms=False,
                num_workers=4,
                prefetch_size=8,
                output_data_format="channels_last",
                output_data_dims=2,
                output_image_channels=3,
                output_label_channels=1,
            ),
        },
        "validate": {
            "metrics": [
                component(
                    "ComputeAverageDice",
                    name="mean_dice",
                    is_key_metric=True,
                    field="model",
                    label_field="label",
                    is_2d=True,
                    remove_bg=False,
                ),
                component("ComputeAverage", name="window_dice", field="dice"),
            ],
            "pre_transforms": [
                *refs("LoadPng", "ConvertToChannelsLast", "ScaleIntensityRange", "ThresholdValues"),
                component("CropSubVolumeCenter", fields=list(BOTH), size=[64, 64]),
            ],
            "image_pipeline": pipeline(
                "validation",
                [64, 64],
                1,
                num_workers=2,
                prefetch_size=2,
                output_data_format="channels_last",
                output_data_dims=2,
                output_image_channels=3,
            ),
            "inferer": component("TFScanWindowInferer", roi_size=[64, 64], batch_size=4),
        },
    }


def _heart() -> Config:
    """The heart and the aorta without its own code: the published archive brought losses that are not public."""
    config = _spleen_ahnet()
    config["use_amp"] = False
    train = config["train"]
    train["model"] = component(
        "SegResnet",
        num_classes=3,
        blocks_down="1,2,2,4",
        blocks_up="1,1,1",
        init_filters="8",
        use_group_norm=True,
        use_group_normG=8,
        use_vae=True,
        reg_weight=1e-5,
        final_activation="softmax",
    )
    train["loss"] = component("CrossEntropyDice", skip_background=True)
    train["optimizer"] = component("Momentum", momentum=0.9)
    train["lr_policy"] = component("ReduceCosine", rate=0.3)
    train["aux_ops"] = [
        component("DiceMaskedOutput", is_onehot_targets=False, tags=["dice", "dice_bg", "dice_heart", "dice_aorta"])
    ]
    train["pre_transforms"][4] = component("NormalizeNonzeroIntensities", fields="image")
    train["pre_transforms"][5] = crop_fast(96, 2)
    train["batch_transforms"] = merge()
    train["image_pipeline"]["args"].update(batched_by_transforms=False, output_batch_size=2, replace_percent=0)
    config["validate"]["pre_transforms"] = refs(*STANDARD_REFS[:4], "NormalizeNonzeroIntensities")
    config["validate"]["metrics"] = [
        dice_metric(),
        component("ComputeAverage", name="heart", field="dice_heart"),
        component("ComputeAverage", name="aorta", field="dice_aorta"),
    ]
    return config


def _tumours() -> Config:
    """Four contrasts in, three overlapping regions out."""
    return {
        "epochs": 460,
        "num_training_epoch_per_valid": 10,
        "learning_rate": 1e-4,
        "multi_gpu": True,
        "use_amp": False,
        "determinism": {"python_seed": "20191201", "random_seed": 123456, "numpy_seed": 654321, "tf_seed": 11111},
        "train": {
            "loss": component("Dice", is_onehot_targets=True, skip_background=False, squared_pred=True),
            "optimizer": component("Adam"),
            "lr_policy": component("ReducePoly", poly_power=0.9),
            "model": component(
                "SegResnet",
                num_classes=3,
                blocks_down="1,2,2,4",
                blocks_up="1,1,1",
                init_filters=8,
                use_batch_norm=False,
                use_group_norm=True,
                use_group_normG=8,
                reg_weight=0.0,
                dropout_prob=0.2,
                final_activation="sigmoid",
                use_vae=False,
            ),
            "aux_ops": [
                component(
                    "DiceMaskedOutput",
                    is_onehot_targets=True,
                    skip_background=False,
                    is_independent_predictions=True,
                    tags=["dice", "dice_tc", "dice_wt", "dice_et"],
                )
            ],
            "pre_transforms": [
                component("LoadNifti", fields=list(BOTH)),
                component("ConvertToChannelsFirst", fields=list(BOTH)),
                component("ConvertToMultiChannelBasedOnBratsClasses", fields="label"),
                component("CropFixedSizeRandomCenter", fields=list(BOTH), size=[224, 224, 128]),
                component("RandomSpatialFlip", fields=list(BOTH)),
                component("NormalizeNonzeroIntensities", fields="image"),
                component("ScaleShiftIntensity", fields="image"),
            ],
            "image_pipeline": pipeline(
                "training",
                [224, 224, 128],
                1,
                num_workers=4,
                prefetch_size=10,
                output_image_channels=4,
                output_label_channels=3,
            ),
        },
        "validate": {
            "metrics": [
                component("ComputeAverage", name="val_dice", is_key_metric=True, field="dice"),
                component("ComputeAverage", name="val_dice_tc", field="dice_tc"),
                component("ComputeAverage", name="val_dice_wt", field="dice_wt"),
                component("ComputeAverage", name="val_dice_et", field="dice_et"),
            ],
            "pre_transforms": [
                *refs("LoadNifti", "ConvertToChannelsFirst", "ConvertToMultiChannelBasedOnBratsClasses"),
                component("NormalizeNonzeroIntensities", fields="image"),
                component("CropSubVolumeCenter", fields=list(BOTH), size=[224, 224, 128]),
            ],
            "image_pipeline": pipeline(
                "validation",
                [224, 224, 128],
                1,
                num_workers=2,
                prefetch_size=1,
                output_image_channels=4,
                output_label_channels=3,
            ),
            "inferer": {"name": "TFSimpleInferer"},
        },
    }


CONFIGS = (
    PublicConfig(
        "Clara-Train-Spleen/config_train",
        _spleen_ahnet(),
        data="few spleen",
        environment={"PRETRAIN_WEIGHTS_FILE": "", "ROUND_NUM": 3},
    ),
    PublicConfig("clara-train_colonoscopy/config_train", _colonoscopy(), data="polyps"),
    PublicConfig("HeaortaNet/config_train", _heart(), data="organs"),
    PublicConfig("BraTS/config_train", _tumours(), data="contrasts"),
    PublicConfig("BraTS/config_train on lists of files", _tumours(), data="contrast_lists"),
)
