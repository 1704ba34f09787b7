"""``Performance/config`` and ``Performance/configDemo``: one network, made faster step by step."""

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
    merge,
    pipeline,
    refs,
    standard_head,
    window,
)

__all__ = ["CONFIGS", "DEMO_ENVIRONMENT", "ENVIRONMENT", "demo"]

ENVIRONMENT = {
    "DATA_ROOT": "/claraDevDay/Data/DecathlonDataset/Task09_Spleen/",
    "DATASET_JSON": "/claraDevDay/Data/DecathlonDataset/Task09_Spleen/dataset_original.json",
    "PROCESSING_TASK": "segmentation",
    "MMAR_EVAL_OUTPUT_PATH": "eval",
    "MMAR_CKPT_DIR": "models",
}
DEMO_ENVIRONMENT = {
    **ENVIRONMENT,
    "DATA_ROOT": "/claraDevDay/Data/sampleData/",
    "DATASET_JSON": "config/dataset_32.json",
}

_SEG, _CACHE = "SegmentationImagePipeline", "SegmentationImagePipelineWithCache"
_KERAS_CACHE = "SegmentationKerasImagePipelineWithCache"
_BATCH_NORM: Config = {"use_batch_norm": True, "use_group_norm": False}
_OSCILLATION = component("ScaleIntensityOscillation", fields="image", magnitude=0.20)


def _unet(num_classes: int = 2, **more: Any) -> Config:
    return component(
        "Unet",
        num_classes=num_classes,
        nf_enc="32,64,64,64",
        nf_dec="64,64,64,64,64,32,32",
        final_activation="softmax",
        **more,
    )


def _spleen(
    crop: Config,
    image_pipeline: Config,
    *,
    epochs: int,
    merged: bool = False,
    optimizer: str = "Adam",
    rate: float = 5e-4,
    valid: Config | None = None,
    **model: Any,
) -> Config:
    """A config on Task09 with crops of 96."""
    train = {
        "loss": component("Dice", data_format="channels_first", skip_background=False, is_onehot_targets=False),
        "model": _unet(**model),
        "optimizer": {"name": optimizer},
        "pre_transforms": [*standard_head(), crop, _OSCILLATION],
        "image_pipeline": image_pipeline,
    }
    if merged:
        train["batch_transforms"] = merge()
    return {
        "epochs": epochs,
        "num_training_epoch_per_valid": 30,
        "learning_rate": rate,
        "multi_gpu": False,
        "dynamic_input_shape": True,
        "train_summary_recording_interval": 0,
        "train": train,
        "validate": {
            "metrics": [dice_metric(do_summary=True, do_print=True)],
            "pre_transforms": refs(*STANDARD_REFS),
            "image_pipeline": valid or pipeline("validation", 96, 1, num_workers=2, prefetch_size=0),
            "inferer": window(96),
        },
    }


def _cached(batch: int, *, key: str = "training", objects: int = 32, name: str = _CACHE, **more: Any) -> Config:
    more = {"batched_by_transforms": False, "num_workers": 16, "prefetch_size": 4, **more}
    return pipeline(key, 96, batch, name=name, num_cache_objects=objects, replace_percent=0.0, **more)


def _cached_validation(name: str = _CACHE) -> Config:
    return _cached(1, key="validation", objects=9, name=name, num_workers=4, prefetch_size=1)


def _fast(crops: int, batch: int, *, name: str = _CACHE, multiprocessing: bool | None = None, **more: Any) -> Config:
    """Batches by transforms, in the v3 form, out of a cache."""
    extra: Config = {} if multiprocessing is None else {"multiprocessing": multiprocessing}
    return _spleen(
        crop_fast(96, crops, batches_to_gen_at_once=48),
        _cached(batch, name=name, **extra),
        merged=True,
        valid=_cached_validation(name),
        **{"epochs": 900, **more},
    )


def _with(config: Config, **top: Any) -> Config:
    return {**config, **top}


_SPLEEN = {
    "trn_base": _spleen(crop_roi(96), pipeline("training", 96, 12, num_workers=16, prefetch_size=4), epochs=2400),
    "trn_BT": _spleen(
        crop_fast(96, 12, batches_to_gen_at_once=48),
        pipeline("training", 96, 0, batched_by_transforms=True, num_workers=16, prefetch_size=4),
        epochs=600,
    ),
    "trn_cache": _spleen(crop_roi(96), _cached(12), epochs=2400),
    "trn_BT_cache_TrnV2": _spleen(
        crop_fast(96, 12), _cached(0, batched_by_transforms=True), epochs=600, valid=_cached_validation()
    ),
    "trn_BT_cache": _fast(3, 4),
    "trn_BT_cache_amp": _with(_fast(3, 4, **_BATCH_NORM), use_amp=True),
    "trn_BT_cache_ampBsX2": _with(_fast(3, 7, rate=1e-3, epochs=500, **_BATCH_NORM), use_amp=True),
    "trn_novograd": _fast(3, 4, optimizer="NovoGrad"),
    "trn_novograd_amp": _with(_fast(3, 4, optimizer="NovoGrad", **_BATCH_NORM), use_amp=True),
    "trn_novograd_4gpu": _with(_fast(2, 6, optimizer="NovoGrad", rate=2e-3), multi_gpu=True),
    "trn_novograd_amp_4gpu": _with(
        _fast(3, 4, optimizer="NovoGrad", rate=2e-3, **_BATCH_NORM), use_amp=True, multi_gpu=True
    ),
    "trn_Keras_BT_cache": _fast(3, 4, name=_KERAS_CACHE, multiprocessing=True),
    "trn_Keras_novograd_4gpu": _with(
        _fast(3, 4, name=_KERAS_CACHE, multiprocessing=True, optimizer="NovoGrad", rate=2e-3), multi_gpu=True
    ),
}


def demo(crop: Config, image_pipeline: Config, *, epochs: int = 20, merged: bool = False, **model: Any) -> Config:
    """A config on one volume that is listed 32 times, with crops of 128 and six classes."""
    train = {
        "loss": {"name": "Focal"},
        "aux_ops": [component("NegLoss", tag="negloss")],
        "model": _unet(6, **model),
        "optimizer": {"name": "Adam"},
        "pre_transforms": [
            *standard_head(),
            crop,
            component("RandomSpatialFlip", fields=list(BOTH)),
            component("ScaleShiftIntensity", fields="image"),
            component("ScaleIntensityOscillation", fields="image", magnitude=0.20),
        ],
        "image_pipeline": image_pipeline,
    }
    if merged:
        train["batch_transforms"] = merge()
    return {
        "epochs": epochs,
        "num_training_epoch_per_valid": 50,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "use_amp": False,
        "dynamic_input_shape": True,
        "train": train,
        "validate": {
            "pre_transforms": refs(*STANDARD_REFS),
            "image_pipeline": pipeline("validation", 128, 1, num_workers=2, prefetch_size=1),
            "inferer": window(128),
            "metrics": [dice_metric(), component("ComputeAverage", name="val_loss", field="negloss")],
        },
    }


def _demo_cached(batch: int, **more: Any) -> Config:
    more = {"num_workers": 4, "prefetch_size": 0, **more}
    return pipeline("training", 128, batch, name=_CACHE, num_cache_objects=32, replace_percent=0.0, **more)


def _deform() -> Config:
    """Every random transform is there, none of them does anything; whole volumes in validation."""
    config = demo(
        crop_roi(128, batch_size=1),
        pipeline("training", 128, 1, batched_by_transforms=True, num_workers=2, prefetch_size=4),
    )
    train, validate = config["train"], config["validate"]
    train["loss"] = component("Dice")
    train["model"] = _unet(2)
    del train["aux_ops"]
    train["pre_transforms"][6:] = [
        component("RandomAxisFlip", fields=list(BOTH), probability=0.0),
        component("RandomRotate3D", fields=list(BOTH), probability=0.0),
        component("ScaleIntensityOscillation", fields="image", magnitude=0.1),
    ]
    train["handlers"] = [{"name": "StatsHandler"}]
    validate["image_pipeline"]["args"]["output_crop_size"] = [-1, -1, -1]
    validate["inferer"] = window(160)
    validate["metrics"] = [dice_metric()]
    return config


_PLAIN: Config = {"batched_by_transforms": False, "num_workers": 4, "prefetch_size": 4}
_BY_TRANSFORMS: Config = {**_PLAIN, "batched_by_transforms": True}

_DEMO = {
    "trn1_base": demo(crop_roi(128), pipeline("training", 128, 4, **_PLAIN)),
    "trn1_BT": demo(
        crop_fast(128, 4, batches_to_gen_at_once=30), pipeline("training", 128, 0, **_BY_TRANSFORMS), epochs=5
    ),
    "trn1_cache": demo(crop_roi(128), _demo_cached(4)),
    "trn1_BT_cache": demo(crop_fast(128, 2, batches_to_gen_at_once=30), _demo_cached(2), epochs=10, merged=True),
    "trn1_BT_cache_TrnV2": demo(crop_fast(128, 4), _demo_cached(0, batched_by_transforms=True), epochs=5),
    "trn1_BT_deformTrans": _deform(),
}

CONFIGS = (
    *(PublicConfig(f"Performance/config/{name}", config, environment=ENVIRONMENT) for name, config in _SPLEEN.items()),
    *(
        PublicConfig(
            f"Performance/configDemo/{name}",
            config,
            data="organs" if name != "trn1_BT_deformTrans" else "spleen",
            environment=DEMO_ENVIRONMENT,
        )
        for name, config in _DEMO.items()
    ),
)
