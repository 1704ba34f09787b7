"""Archives in the manner of the v2 model registry: prostate, liver, lungs with COVID-19, chest X-rays, annotation."""

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
    crop_roi,
    dice_metric,
    pipeline,
    refs,
    standard_head,
    window,
)

__all__ = ["CONFIGS"]


def _ahnet(num_classes: int, **more: Any) -> Config:
    return component(
        "SegAhnet",
        num_classes=num_classes,
        if_use_psp=False,
        pretrain_weight_name="{PRETRAIN_WEIGHTS_FILE}",
        pretrain_weight_url="https://example.org/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
        plane="z",
        final_activation="softmax",
        n_spatial_dim=3,
        **more,
    )


def _segmentation(model: Config, head: list[Config], crop: list[Config], *, size: int, **pipe: Any) -> Config:
    handles = [step["name"].rpartition("#")[2] for step in head]
    return {
        "epochs": 1250,
        "num_training_epoch_per_valid": 10,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "use_scanning_window": False,
        "train": {
            "model": model,
            "loss": {"name": "Dice"},
            "optimizer": {"name": "Adam"},
            "lr_policy": component("DecayOnStep", decay_ratio=0.1, decay_freq=50000),
            "aux_ops": [
                component("ComputeDice", is_onehot_targets=False, is_independent_predictions=False, tag="dice")
            ],
            "pre_transforms": [*head, *crop],
            "image_pipeline": pipeline("training", size, pipe.pop("batch", 4), **{"num_workers": 2, **pipe}),
        },
        "validate": {
            "metrics": [dice_metric()],
            "pre_transforms": refs(*handles),
            "image_pipeline": pipeline("validation", size, 1, num_workers=2, prefetch_size=1),
            "inferer": window(160),
        },
    }


def _prostate() -> Config:
    """MRI, in contrasts and gentle deformations; the first metric is taken, as none is flagged."""
    head = [
        component("LoadNifti", fields=list(BOTH), as_closest_canonical="false"),
        component("ConvertToChannelsFirst", fields=list(BOTH)),
        component("ScaleByResolution#ScaleImg", fields=["image"], target_resolution=[1.0, 1.0, 1.0]),
        component("ScaleByResolution#ScaleLb", fields=["label"], target_resolution="1.0,1.0,1.0", is_label="true"),
        component("NormalizeNonzeroIntensities", fields=["image"]),
    ]
    crop = crop_roi(96)
    crop["args"].update(deform=True, rotation=True, scale=True, rotation_degree=20)
    augment = [
        crop,
        component("RandomMRBiasField", fields="image"),
        component("RandomGaussianSmooth", fields="image"),
        component("AdjustContrast", fields="image"),
        component(
            "RandomZoom",
            image_field="image",
            label_field="label",
            lower_limits=[0.8, 0.8, 0.8],
            upper_limits=[1.2, 1.2, 1.2],
        ),
        component("CropFixedSizeRandomCenter", fields=list(BOTH), size=[96, 96, 96]),
    ]
    config = _segmentation(_ahnet(3), head, augment, size=96)
    config["validate"]["metrics"] = [
        component("ComputeAverageDice", name="mean_dice", field="model", label_field="label"),
    ]
    return config


def _liver() -> Config:
    head = standard_head(a_min=-21, a_max=189)
    config = _segmentation(
        _ahnet(3),
        head,
        [crop_fast(96, 3), component("RandomAxisFlip", fields=list(BOTH), probability=0.0)],
        size=96,
        batch=1,
        batched_by_transforms=True,
    )
    config["train"]["image_pipeline"]["name"] = "SegmentationImagePipelineWithCache"
    config["train"]["image_pipeline"]["args"].update(num_cache_objects=20, replace_percent=0.25)
    return config


def _lungs() -> Config:
    head = standard_head(resolution=(0.8, 0.8, 5.0), a_min=-1500, a_max=500)
    crop = component("CropByPosNegRatio", **{**crop_fast(224, 4)["args"], "size": [224, 224, 32], "fields": list(BOTH)})
    config = _segmentation(_ahnet(2), head, [crop], size=224, batch=0, batched_by_transforms=True)
    config["train"]["image_pipeline"]["args"]["output_crop_size"] = [224, 224, 32]
    config["validate"]["inferer"]["args"]["roi_size"] = [320, 320, 64]
    return config


def _annotation() -> Config:
    """Extreme points become a second channel of the cropped organ."""
    head = standard_head()
    points = [
        component("CropForegroundObject", size=[128, 128, 128], image_field="image", label_field="label"),
        component("AddExtremePointsChannel", image_field="image", label_field="label", sigma=3, permutation=2),
    ]
    config = _segmentation(_ahnet(2), head, [*points, component("RandomSpatialFlip", fields=list(BOTH))], size=128)
    config["train"]["image_pipeline"]["args"].update(output_image_channels=2, output_batch_size=2)
    config["validate"]["pre_transforms"] = refs(*STANDARD_REFS, "CropForegroundObject", "AddExtremePointsChannel")
    config["validate"]["image_pipeline"]["args"].update(output_image_channels=2)
    config["validate"]["inferer"] = {"name": "TFSimpleInferer"}
    return config


def _pictures(**more: Any) -> Config:
    return {
        "output_data_format": "channels_first",
        "output_data_dims": 2,
        "output_image_channels": 3,
        "num_workers": 8,
        "prefetch_size": 20,
        **more,
    }


def _chest() -> Config:
    """Fifteen findings on chest X-rays, each there or not."""
    findings = [1] * 15
    return {
        "epochs": 40,
        "num_training_epoch_per_valid": 1,
        "learning_rate": 2e-4,
        "multi_gpu": False,
        "train": {
            "loss": {"name": "BinaryClassificationLoss"},
            "optimizer": {"name": "Adam"},
            "lr_policy": component("DecayOnStep", decay_ratio=0.9, decay_freq=1000),
            "model": component("DenseNet121", num_classes=15, pretrain_weight_name="{PRETRAIN_WEIGHTS_FILE}"),
            "aux_ops": [component("ComputeAccuracy", tag="accuracy", use_sigmoid=True)],
            "pre_transforms": [
                component("LoadPng", fields=["image"]),
                component("ConvertToChannelsFirst", fields=["image"]),
                component("ScaleToShape", fields=["image"], target_shape=[256, 256]),
                component("CropFixedSizeRandomCenter", fields=["image"], size=[224, 224]),
                component("RandomSpatialFlip", fields=["image"]),
                component("RandomRotate2D", fields=["image"], angle=7, is_random=True),
                component(
                    "CenterData", fields=["image"], subtrahend=[2876.37, 2876.37, 2876.37], divisor=[883, 883, 883]
                ),
            ],
            "image_pipeline": pipeline(
                "training",
                [224, 224],
                20,
                name="ClassificationImagePipeline",
                **_pictures(output_label_format=findings),
            ),
        },
        "validate": {
            "metrics": [
                component(
                    "ComputeAUC",
                    name="Average_AUC",
                    is_key_metric=True,
                    field="model",
                    label_field="label",
                    auc_average="macro",
                ),
                component("ComputeAUC", name="Nodule", field="model", label_field="label", class_index=0),
            ],
            "pre_transforms": [
                *refs("LoadPng", "ConvertToChannelsFirst"),
                component("ScaleToShape#ScaleVal", fields=["image"], target_shape=[224, 224]),
                *refs("CenterData"),
            ],
            "image_pipeline": pipeline(
                "validation",
                [224, 224],
                20,
                name="ClassificationImagePipeline",
                **_pictures(output_label_format=findings, shuffle=False),
            ),
            "inferer": {"name": "TFSimpleInferer"},
        },
    }


def _covid_classification() -> Config:
    """Is it COVID-19 or not, from a CT cut to the lungs; classes drawn in equal shares."""
    volume = {"output_label_format": [2], "output_data_dims": 3, "num_workers": 4, "prefetch_size": 4}
    return {
        "epochs": 100,
        "num_training_epoch_per_valid": 1,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "train": {
            "loss": {"name": "MulticlassClassificationLoss"},
            "optimizer": {"name": "Adam"},
            "model": component("DenseNet121", num_classes=2, final_activation="softmax"),
            "aux_ops": [component("ComputeAccuracy", tag="accuracy")],
            "pre_transforms": [
                component("LoadNifti", fields=["image"]),
                component("ConvertToChannelsFirst", fields=["image"]),
                component(
                    "ScaleIntensityRange", fields=["image"], a_min=-1000, a_max=500, b_min=-1.0, b_max=1.0, clip=True
                ),
                component("ScaleToShape", fields=["image"], target_shape=[192, 192, 64]),
                component("RandomSpatialFlip", fields=["image"]),
            ],
            "image_pipeline": pipeline(
                "training",
                [192, 192, 64],
                4,
                name="ClassificationKerasImagePipeline",
                sampling="automatic",
                **volume,
            ),
        },
        "validate": {
            "metrics": [
                component("ComputeAverage", name="accuracy", is_key_metric=True, field="accuracy"),
                component("ComputeMulticlassAverage", name="AUC", field="model", label_field="label"),
            ],
            "pre_transforms": refs("LoadNifti", "ConvertToChannelsFirst", "ScaleIntensityRange", "ScaleToShape"),
            "image_pipeline": pipeline(
                "validation", [192, 192, 64], 1, name="ClassificationKerasImagePipeline", shuffle=False, **volume
            ),
            "inferer": {"name": "TFSimpleInferer"},
        },
    }


_WEIGHTS = {"PRETRAIN_WEIGHTS_FILE": "/workspace/weights/resnet50_weights_tf_dim_ordering_tf_kernels.h5"}
_CLASSIFICATION = {"PROCESSING_TASK": "classification", "PRETRAIN_WEIGHTS_FILE": ""}

CONFIGS = (
    PublicConfig(
        "segmentation_mri_prostate/config_train", _prostate(), data="organs", environment=_WEIGHTS, stands_in=True
    ),
    PublicConfig(
        "segmentation_ct_liver_and_tumor/config_train", _liver(), data="organs", environment=_WEIGHTS, stands_in=True
    ),
    PublicConfig("covid19_ct_lung_seg/config_train", _lungs(), data="spleen", environment=_WEIGHTS, stands_in=True),
    PublicConfig(
        "annotation_ct_spleen/config_train",
        _annotation(),
        data="few spleen",
        environment={**_WEIGHTS, "PROCESSING_TASK": "annotation"},
    ),
    PublicConfig("classification_chestxray/config_train", _chest(), data="xrays", environment=_CLASSIFICATION),
    PublicConfig(
        "covid19_3d_ct_classification/config_train",
        _covid_classification(),
        data="few scans",
        environment=_CLASSIFICATION,
    ),
)
