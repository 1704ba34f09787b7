"""The configs and the card of a new archive for a classification."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from vesalia.datatools.labelled_pictures import LabelledPictures
from vesalia.datatools.picture_scan import PictureSizes

__all__ = ["classification_card", "classification_evaluate_config", "classification_train_config"]

Json = dict[str, Any]
_EVAL = "{MMAR_EVAL_OUTPUT_PATH}"
_NARROW = "16,32,64,64,64,256,256"
_CARD = """\
# {name}: classification

Words in `<angle brackets>` are for you to replace.

## Task

What a whole picture shows: {names}. Label format: {widths} (1 is there or not, n is one of n classes).

## Data

* Data set: {name}; `<source, licence>`. How pictures were chosen, and who labelled them: `<fill in>`
* {training} pictures for training, {validation} for validation; the lists are in `config/dataset.json`.

## Intended use and limits

`<Who uses it, on which pictures, for which decision; devices, ages and diseases that the data lacks.>` Not a medical
device.

## Results

| metric | value | cases |
|---|---|---|
| area under the ROC curve, mean | `<fill in>` | `<fill in>` |

Fill these in from `eval/` after `commands/validate.sh`. Pictures that chose the best model are no independent test.

## How it was trained

* Scaled to {rows} x {columns} pixels, {model}, {batch} per step, {epochs} epochs, Adam; the details are in
  `config/config_train.json`. Pictures are turned by a few degrees and varied in brightness at random, not mirrored.
* Hardware, time, and version of Vesalia: `<fill in>`; the run's manifest below `models/` has them.
"""


def classification_train_config(data: LabelledPictures, sizes: PictureSizes) -> Json:
    """The training config."""
    loading = _loading(sizes)
    return {
        "epochs": sizes.epochs,
        "num_training_epoch_per_valid": sizes.epochs_per_validation,
        "learning_rate": 0.0005,
        "multi_gpu": False,
        "use_amp": True,
        "train": {
            "loss": _loss(data),
            "optimizer": {"name": "Adam"},
            "lr_policy": {"name": "ReducePoly", "args": {"poly_power": 0.9}},
            "model": _model(data, sizes),
            "aux_ops": [_accuracy(data)],
            "pre_transforms": [*loading, *_augmenting()],
            "image_pipeline": _training_pipeline(data, sizes),
        },
        "validate": {
            "pre_transforms": [{"ref": step["name"]} for step in loading],
            "image_pipeline": _validation_pipeline(data, sizes),
            "inferer": {"name": "TFSimpleInferer"},
            "metrics": [
                {"name": "ComputeAUC", "args": {**_area(data), "is_key_metric": True}},
                {"name": "ComputeAverage", "args": {"name": "mean_accuracy", "field": "accuracy"}},
            ],
        },
    }


def classification_evaluate_config(data: LabelledPictures, sizes: PictureSizes) -> Json:
    """The evaluation config."""
    return {
        "batch_size": 1,
        "use_amp": False,
        "DATA_LIST_KEY": "validation",
        "inferer": {"name": "TFSimpleInferer"},
        "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
        "pre_transforms": _loading(sizes),
        "post_transforms": [],
        "label_transforms": [],
        "val_metrics": [{"name": "ComputeAUC", "args": {**_area(data), "report_path": _EVAL}}],
        "writers": [{"name": "WriteClassificationResult", "args": {"field": "model", "write_path": _EVAL}}],
    }


def classification_card(data: LabelledPictures, sizes: PictureSizes) -> str:
    """The model card's Markdown text."""
    return _CARD.format(
        name=data.name,
        names=", ".join(data.names),
        widths=list(data.label_format),
        training=len(data.training),
        validation=len(data.validation),
        rows=sizes.shape[0],
        columns=sizes.shape[1],
        model=_model(data, sizes)["name"],
        batch=sizes.batch,
        epochs=sizes.epochs,
    )


def _is_binary(data: LabelledPictures) -> bool:
    return set(data.label_format) == {1}


def _own_format(data: LabelledPictures) -> Json:
    """What those who read labels must be told where these have different numbers of channels."""
    return {"label_format": list(data.label_format)} if len(set(data.label_format)) > 1 else {}


def _loss(data: LabelledPictures) -> Json:
    if _is_binary(data):
        return {"name": "BinaryClassificationLoss"}
    return {"name": "MulticlassClassificationLoss", "args": _own_format(data)}


def _model(data: LabelledPictures, sizes: PictureSizes) -> Json:
    """A softmax only where every label is one of several classes."""
    activation = "sigmoid" if 1 in data.label_format else "softmax"
    args = {"num_classes": sum(data.label_format), "final_activation": activation}
    if sizes.is_deep:
        return {"name": "DenseNet121", "args": args}
    return {"name": "Alexnet", "args": {**args, "num_feat": _NARROW}}


def _accuracy(data: LabelledPictures) -> Json:
    reading = {"use_sigmoid": True} if _is_binary(data) else _own_format(data)
    return {"name": "ComputeAccuracy", "args": {"tag": "accuracy", **reading}}


def _area(data: LabelledPictures) -> Json:
    return {
        "name": "Average_AUC",
        "field": "model",
        "label_field": "label",
        "auc_average": "macro",
        **_own_format(data),
    }


def _loading(sizes: PictureSizes) -> list[Json]:
    """What does not change from epoch to epoch, and is cached."""
    return [
        {"name": "LoadPng" if sizes.is_png else "LoadJpg", "args": {"fields": "image"}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
        {"name": "CenterData", "args": {"fields": "image", "subtrahend": sizes.mean, "divisor": sizes.deviation}},
        {"name": "ScaleToShape", "args": {"fields": "image", "target_shape": list(sizes.shape)}},
    ]


def _augmenting() -> list[Json]:
    """What is drawn afresh each time; nothing is mirrored, as sides may matter."""
    return [
        {"name": "RandomRotate2D", "args": {"fields": "image", "angle": 7, "is_random": True}},
        {"name": "ScaleShiftIntensity", "args": {"fields": "image", "scale": 0.1, "shift": 0.1}},
    ]


def _training_pipeline(data: LabelledPictures, sizes: PictureSizes) -> Json:
    args = {
        **_pipeline(data, sizes, "training"),
        "output_batch_size": sizes.batch,
        "num_workers": 2,
        "prefetch_size": 20,
        "num_cache_objects": sizes.cached,
        "replace_percent": 0.0 if sizes.cached == len(data.training) else 0.2,
    }
    if not sizes.is_balanced:
        return {"name": "ClassificationImagePipelineWithCache", "args": args}
    weights = [1.0] * data.label_format[0]
    return {"name": "ClassificationKerasImagePipelineWithCache", "args": {**args, "category_weights": weights}}


def _validation_pipeline(data: LabelledPictures, sizes: PictureSizes) -> Json:
    args = {"output_batch_size": 1, "shuffle": False, "num_workers": 2, "prefetch_size": 4}
    return {"name": "ClassificationImagePipeline", "args": {**_pipeline(data, sizes, "validation"), **args}}


def _pipeline(data: LabelledPictures, sizes: PictureSizes, key: str) -> Json:
    return {
        "data_list_file_path": "{DATASET_JSON}",
        "data_file_base_dir": "{DATA_ROOT}",
        "data_list_key": key,
        "output_crop_size": list(sizes.shape),
        "output_data_dims": 2,
        "output_image_channels": sizes.channels,
        "output_label_format": list(data.label_format),
    }
