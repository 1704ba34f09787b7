"""``AutoML`` and ``FL``: configs that another program changes before or while they run; plain training takes them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from typing import Any

from tests.end_to_end.public_configs import getting_started
from tests.end_to_end.public_configs.pieces import (
    BOTH,
    STANDARD_REFS,
    Config,
    PublicConfig,
    component,
    pipeline,
    refs,
    standard_head,
)

__all__ = ["CONFIGS", "ENVIRONMENT", "base"]

ENVIRONMENT = {
    "DATA_ROOT": "/claraDevDay/Data/sampleData/",
    "DATASET_JSON": "/claraDevDay/Data/sampleData/dataset.json",
    "DATA_ROOT_overridding_from_Train": "/claraDevDay/Data/sampleData/",
    "PROCESSING_TASK": "segmentation",
    "MMAR_EVAL_OUTPUT_PATH": "eval",
    "MMAR_CKPT_DIR": "models",
}


def _model(filters: int, **more: Any) -> Config:
    return component(
        "SegResnet",
        num_classes=2,
        blocks_down="1,2,2,4",
        blocks_up="1,1,1",
        init_filters=filters,
        use_batch_norm=False,
        use_group_norm=True,
        use_group_normG=8,
        reg_weight=0.0,
        dropout_prob=0.0,
        final_activation="softmax",
        use_vae=False,
        **more,
    )


def base(filters: int = 4) -> Config:
    """What the searches have in common."""
    return {
        "epochs": 1,
        "num_training_epoch_per_valid": 20,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "use_amp": False,
        "dynamic_input_shape": True,
        "train": {
            "loss": component("Dice", skip_background=True, squared_pred=True, jaccard=False),
            "optimizer": {"name": "Adam"},
            "lr_policy": component("ReducePoly", poly_power=0.9),
            "model": _model(filters),
            "aux_ops": [
                component(
                    "DiceMaskedOutput",
                    is_onehot_targets=False,
                    skip_background=True,
                    is_independent_predictions=False,
                    tags=["dice"],
                )
            ],
            "pre_transforms": [
                *standard_head(),
                component("CropFixedSizeRandomCenter", fields=list(BOTH), size=[64, 64, 64]),
                component("RandomSpatialFlip", fields=list(BOTH), probability=0.5),
                component("ScaleShiftIntensity", fields="image"),
                component("ScaleIntensityOscillation", fields="image", magnitude=0.2, probability=0.1),
                component("AddGaussianNoise", fields="image", probability=0.1),
            ],
            "image_pipeline": pipeline("training", 64, 4, batched_by_transforms=False, num_workers=2, prefetch_size=2),
        },
        "validate": {
            "pre_transforms": refs(*STANDARD_REFS, "CropFixedSizeRandomCenter"),
            "metrics": [component("ComputeAverage", name="mean_dice", is_key_metric=True, field="dice")],
            "image_pipeline": pipeline("validation", 64, 1, num_workers=2, prefetch_size=2),
            "inferer": {"name": "TFSimpleInferer"},
        },
    }


def _search(domain: str, kind: str, args: list[str], targets: list[Any]) -> Config:
    return {"domain": domain, "type": kind, "args": args, "targets": targets}


def _enum() -> Config:
    config = base(2)
    config["train"]["model"]["search"] = [
        _search("net", "enum", ["init_filters"], [[2], [4], [8]]),
        _search("net", "enum", ["use_batch_norm", "use_group_norm"], [[True, False], [False, True]]),
    ]
    config["train"]["model"]["___search"] = [_search("net", "enum", ["final_activation"], [["softmax"], ["sigmoid"]])]
    return config


def _rates() -> Config:
    config = {"search": [_search("lr", "float", ["learning_rate"], [1e-5, 1e-3])], **base()}
    config["train"]["lr_policy"]["search"] = [_search("lr", "float", ["poly_power"], [0.5, 0.99])]
    config["train"]["lr_policy"]["__search"] = [_search("lr", "float", ["poly_power"], [0.1, 0.2])]
    return config


def _transform() -> Config:
    config = {
        "search": [_search("transform", "enum", ["@myTransformDisable"], [[True], [False]])],
        **base(),
    }
    steps = config["train"]["pre_transforms"]
    steps[6]["apply"] = {"@disabled": "myTransformDisable"}
    steps[7]["apply"] = {"@disabled": "myTransformDisable"}
    steps[8]["search"] = [_search("transform", "enum", ["@disabled"], [[True], [False]])]
    return config


def _probabilities() -> Config:
    config = base()
    steps = config["train"]["pre_transforms"]
    steps[6]["search"] = [_search("transform", "float", ["probability#myProb"], [0.1, 0.9])]
    steps[8]["apply"] = {"probability": "myProb"}
    steps[9]["search"] = _search("transform", "float", ["probability"], [0.0, 1.0])
    return config


def _losses() -> Config:
    """The loss and the optimizer are lists; the search leaves one of each, and as shipped none is disabled."""
    names = ["mySearchLoss1", "mySearchLoss2", "mySearchLoss3"]
    config = {
        "search": [
            _search("transform", "enum", names, [[False, True, True], [True, False, True], [True, True, False]]),
            _search("transform", "enum", ["mySearchOpt1", "mySearchOpt2"], [[False, True], [True, False]]),
        ],
        **base(),
    }
    losses = [component("Dice", skip_background=True), component("Focal"), component("CrossEntropyDice")]
    optimizers = [component("Adam"), component("NovoGrad")]
    config["train"]["loss"] = [{**loss, "apply": {"@disabled": name}} for loss, name in zip(losses, names, strict=True)]
    config["train"]["optimizer"] = [
        {**optimizer, "apply": {"@disabled": f"mySearchOpt{number}"}} for number, optimizer in enumerate(optimizers, 1)
    ]
    return config


def _one_left() -> Config:
    """What the search makes of it for one of its jobs."""
    config = copy.deepcopy(_losses())
    for number, loss in enumerate(config["train"]["loss"]):
        loss["disabled"] = number != 1
    for number, optimizer in enumerate(config["train"]["optimizer"]):
        optimizer["disabled"] = number != 1
    return config


def _federated(*, no_custom: bool) -> Config:
    config = getting_started.base()
    del config["train"]["aux_ops"]
    config["validate"]["metrics"] = config["validate"]["metrics"][:1]
    if no_custom:
        config["epochs"] = 10
    return config


_SEARCHES = {
    "trn_autoML_Enum": _enum(),
    "trn_autoML_LR_LP": _rates(),
    "trn_autoML_Transform": _transform(),
    "trn_autoML_TransformProb": _probabilities(),
    "trn_autoML_Loss_Optimizer": _losses(),
    "W1_1_J1/trn_autoML_Loss_Optimizer": _one_left(),
}

CONFIGS = (
    *(PublicConfig(f"AutoML/{name}", config, environment=ENVIRONMENT) for name, config in _SEARCHES.items()),
    PublicConfig("FL/adminMMAR/config_train", _federated(no_custom=False), environment=getting_started.ENVIRONMENT),
    PublicConfig(
        "FL/adminMMARNoCustom/config_train", _federated(no_custom=True), environment=getting_started.ENVIRONMENT
    ),
)
