"""``GettingStarted/config``: the first archive of the public examples, and its bring-your-own variants."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from tests.end_to_end.public_configs.pieces import (
    BOTH,
    STANDARD_REFS,
    Config,
    PublicConfig,
    component,
    crop_roi,
    dice_metric,
    pipeline,
    refs,
    standard_head,
    window,
)

__all__ = ["CONFIGS", "ENVIRONMENT", "base", "byoc_base"]

ENVIRONMENT = {
    "DATA_ROOT": "/claraDevDay/Data/sampleData/",
    "DATASET_JSON": "/claraDevDay/Data/sampleData/dataset_28GB.json",
    "PROCESSING_TASK": "segmentation",
    "MMAR_EVAL_OUTPUT_PATH": "eval",
    "MMAR_CKPT_DIR": "models",
    "PRETRAIN_WEIGHTS_FILE": "/workspace/weights/resnet50_weights_tf_dim_ordering_tf_kernels.h5",
}

ADD_CONSTANT = '''"""A transform on the old base class: adds a constant that is thrown anew for each image."""

import numpy as np
from ai4med.common.medical_image import MedicalImage
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class MyAddRandomConstant(MultiFieldTransformer):
    def __init__(self, fields, magnitude, dtype=np.float32):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.magnitude = magnitude
        self.dtype = dtype

    def transform(self, transform_ctx: TransformContext):
        offset = np.random.uniform(0, 1) * self.magnitude
        for field in self.fields:
            image = transform_ctx.get_image(field)
            data = image.get_data().astype(self.dtype) + self.dtype(offset)
            transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False
'''

NUMPY_LOADER = '''"""A loader on the old base class: NumPy files become images."""

import numpy as np
from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.utils.dtype_utils import str_to_dtype


class MyNumpyLoader(MultiFieldTransformer):
    def __init__(self, fields, shape, dtype="float32"):
        MultiFieldTransformer.__init__(self, fields)
        self._dtype = str_to_dtype(dtype)
        self._shape = ShapeFormat(shape)

    def transform(self, transform_ctx: TransformContext):
        for field in self.fields:
            file_name = transform_ctx[field]
            data = np.load(file_name).astype(self._dtype)
            image = MedicalImage(data, self._shape)
            image.set_property(ImageProperty.ORIGINAL_SHAPE, data.shape)
            image.set_property(ImageProperty.FILENAME, file_name)
            transform_ctx.set_image(field, image)
        return transform_ctx
'''


def _unet(**more: Any) -> Config:
    return component(
        "Unet",
        num_classes=2,
        nf_enc="32,64,64,64",
        nf_dec="64,64,64,64,64,32,32",
        final_activation="softmax",
        **more,
    )


def base() -> Config:
    """``trn_base``."""
    return {
        "epochs": 1,
        "num_training_epoch_per_valid": 2,
        "learning_rate": 1e-4,
        "multi_gpu": False,
        "dynamic_input_shape": True,
        "use_amp": False,
        "train": {
            "loss": {"name": "Focal"},
            "aux_ops": [component("NegLoss", tag="negloss")],
            "model": _unet(),
            "optimizer": {"name": "Adam"},
            "pre_transforms": [
                *standard_head(),
                {
                    "name": "RandomZoom",
                    "disabled": True,
                    "args": {
                        "image_field": "image",
                        "label_field": "label",
                        "lower_limits": [0.8, 0.8, 0.8],
                        "upper_limits": [1.2, 1.2, 1.2],
                    },
                },
                crop_roi(64),
                component("RandomSpatialFlip", fields=list(BOTH)),
                component("ScaleShiftIntensity", fields="image"),
                component("ScaleIntensityOscillation", fields="image", magnitude=0.20),
            ],
            "handlers": [{"name": "StatsHandler"}],
            "image_pipeline": pipeline("training", 64, 4, batched_by_transforms=False, num_workers=2, prefetch_size=5),
        },
        "validate": {
            "metrics": [
                dice_metric(),
                component("ComputeAverage", name="val_loss", field="negloss"),
            ],
            "pre_transforms": refs(*STANDARD_REFS),
            "image_pipeline": pipeline("validation", 64, 1, num_workers=2, prefetch_size=2),
            "inferer": window(64),
        },
    }


def _amp() -> Config:
    return {**base(), "use_amp": True}


def byoc_base() -> Config:
    """What the bring-your-own configs share: no augmentation, and every step seen on disk."""
    config = base()
    train = config["train"]
    train["loss"] = component("Dice", skip_background=True, squared_pred=True, is_onehot_targets=False)
    del train["aux_ops"]
    train["pre_transforms"] = [*standard_head(), crop_roi(64)]
    config["validate"]["metrics"] = [dice_metric()]
    return config


def _save(name: str) -> Config:
    return component(
        "SaveAsNifti", fields=list(BOTH), out_dir=f"/claraDevDay/GettingStarted/_tmp_{name}", interrupt=False
    )


def _byoc_transform() -> Config:
    config = byoc_base()
    steps = config["train"]["pre_transforms"]
    steps[4] = component(
        "ScaleIntensityRange", fields="image", a_min=-57, a_offset=200, b_min=0.0, b_max=1.0, clip=True
    )
    steps += [
        {"path": "myTransformation.MyAddRandomConstant", "args": {"fields": ["image"], "magnitude": 0.2}},
        _save("transform"),
    ]
    return config


def _byoc_loader() -> Config:
    config = byoc_base()
    config["train"]["loss"] = {"name": "Focal"}
    config["train"]["pre_transforms"] = [
        {
            "name": "MyNumpyLoader",
            "path": "myNpLoader.MyNumpyLoader",
            "args": {"fields": ["image", "label"], "shape": "DHW"},
        },
        component("ConvertToChannelsFirst", fields=list(BOTH)),
        component("ScaleIntensityRange", fields="image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
        crop_roi(64),
        _save("loader"),
    ]
    config["validate"]["pre_transforms"] = refs("MyNumpyLoader", "ConvertToChannelsFirst", "ScaleIntensityRange")
    return config


CONFIGS = (
    PublicConfig("GettingStarted/trn_base", base(), environment=ENVIRONMENT),
    PublicConfig("GettingStarted/trn_base_AMP", _amp(), environment=ENVIRONMENT),
    PublicConfig(
        "GettingStarted/trn_BYOC_transform",
        _byoc_transform(),
        environment=ENVIRONMENT,
        custom={"myTransformation.py": ADD_CONSTANT},
        code_folder="BYOC",
    ),
    PublicConfig(
        "GettingStarted/trn_BYOC_DataLoader",
        _byoc_loader(),
        data="arrays",
        environment=ENVIRONMENT,
        custom={"myNpLoader.py": NUMPY_LOADER},
        code_folder="BYOC",
    ),
)
