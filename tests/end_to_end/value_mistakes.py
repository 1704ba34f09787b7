"""Seeded mistakes: values of a wrong type, missing keys, rules between components, text that is not JSON."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from tests.end_to_end.mistakes import (
    Damage,
    Mistake,
    all_of,
    as_it_is,
    drop,
    put,
    put_text,
    replace_text,
    step,
)
from tests.end_to_end.workbench import ENVIRONMENT, LIST, TRAIN, VALIDATION, Bench

__all__ = ["MISTAKES"]

_EVALUATION = ("check", "evaluate", "infer")
_PIPELINE = "train.image_pipeline.args"


def _wrong(name: str, path: str, value: object, *says: str) -> Mistake:
    return Mistake(name, put(path, value), (TRAIN, path, *says))


def _missing(path: str, *says: str, file: str = TRAIN) -> Mistake:
    commands = ("check", "train") if file == TRAIN else _EVALUATION
    return Mistake(f"no {path}", drop(path, file), (file, path, "found nothing", *says), commands)


def _two_losses(disabled: bool) -> Damage:
    losses = [{"name": "Dice", "disabled": disabled}, {"name": "CrossEntropy", "disabled": disabled}]
    return put("train.loss", losses)


def _byte_order_of_another_time(bench: Bench) -> None:
    (bench.archive / TRAIN).write_bytes((bench.archive / TRAIN).read_bytes() + b"\xff\xfe\x00")


_TYPES = (
    _wrong("a word for a number", "epochs", "ten", '"ten"', "whole number", "write 100"),
    _wrong("true for a number", "epochs", True, "true", "whole number", "write 100"),
    _wrong("half an epoch", "epochs", 1.5, "1.5", "whole number", "write 100"),
    _wrong("no epoch at all", "epochs", 0, "found 0", "1 or more"),
    _wrong("a negative learning rate", "learning_rate", -0.1, "-0.1", "above 0", "write 0.001"),
    _wrong("a number for yes or no", "use_amp", 2, "2", "true or false"),
    _wrong("a word for num_classes", "train.model.args.num_classes", "four", '"four"', "whole number"),
    _wrong("true for num_classes", "train.model.args.num_classes", True, "true", "whole number"),
    _wrong("an object for widths", "train.model.args.nf_enc", {"0": 4}, "whole numbers of 1 or more", "32,64,64,64"),
    _wrong("an activation that is none", "train.model.args.final_activation", "softmx", '"softmx"', '"softmax"'),
    _wrong("a crop of four axes", f"{_PIPELINE}.output_crop_size", [8, 8, 8, 8], "[8, 8, 8, 8]", "2 or 3"),
    _wrong("a crop of two axes in 3D", f"{_PIPELINE}.output_crop_size", [8, 8], "[8, 8]", "[8, 8, 8]"),
    _wrong("a batch of no items", f"{_PIPELINE}.output_batch_size", 0, "found 0", "1 or more"),
    _wrong("a share above 1", f"{_PIPELINE}.replace_percent", 1.5, "1.5", "0 to 1"),
    _wrong("a window with a hole", "validate.inferer.args.roi_size", [16, 0, 16], "[16, 0, 16]"),
    _wrong("an object for a chain", "train.pre_transforms", {"name": "LoadNifti"}, "a list of components", "[ ... ]"),
    _wrong("a name for a component", "train.loss", "Dice", '"Dice"', "a loss as an object", '{"name": "Dice"}'),
    _wrong("a list for a section", "train", [1], "[1]", "an object"),
    _wrong("a list for args", "train.loss.args", [1], "[1]", "an object"),
    _wrong("a number for a name", "train.loss.name", 3, "3", "the name of a loss as text"),
    _wrong("maybe disabled", "train.loss.disabled", "maybe", '"maybe"', "true or false"),
    Mistake(
        "a number for fields",
        step("LoadNifti", "fields", 3),
        (TRAIN, "train.pre_transforms[0].args.fields", "found 3", "names of fields", "image"),
    ),
    Mistake(
        "four numbers for a spacing",
        step("ScaleByResolution#ScaleImage", "target_resolution", [1, 1, 1, 1]),
        (TRAIN, "train.pre_transforms[2].args.target_resolution", "[1, 1, 1, 1]", "1 to 3"),
    ),
    Mistake(
        "a word for a number after --set",
        as_it_is,
        ("--set", "epochs", "ten", "whole number", "epochs=100"),
        options=("--set", "epochs=ten"),
    ),
)

_MISSING = (
    _missing("epochs", '"epochs": 100'),
    _missing("learning_rate", '"learning_rate": 0.001'),
    _missing("train", "the section train"),
    _missing("train.loss", "a loss", '"loss": {"name": "..."'),
    _missing("train.model", "a model"),
    _missing("train.image_pipeline", "an image pipeline"),
    _missing("train.model.args.num_classes", "whole number"),
    _missing("train.image_pipeline.args.output_crop_size", "output_crop_size"),
    _missing("validate.inferer", "an inferer"),
    _missing("validate.metrics[0].args.name", "name"),
    _missing("inferer", "an inferer", file=VALIDATION),
    _missing("writers[0].args.field", "field", file=VALIDATION),
)

_RULES = (
    Mistake(
        "two losses enabled",
        _two_losses(disabled=False),
        (TRAIN, "train.loss", "2 enabled of 2", "exactly one", '"disabled": true'),
    ),
    Mistake(
        "every loss disabled",
        _two_losses(disabled=True),
        (TRAIN, "train.loss", "0 enabled of 2", "exactly one"),
    ),
    Mistake(
        "batched_by_transforms without a crop that gives a batch",
        all_of(
            put(f"{_PIPELINE}.batched_by_transforms", value=True),
            put("train.batch_transforms", []),
            put(
                "train.pre_transforms[5]",
                {"name": "CropFixedSizeRandomCenter", "args": {"fields": "image,label", "size": [8, 8, 8]}},
            ),
        ),
        (TRAIN, f"{_PIPELINE}.batched_by_transforms", "no transform gives a batch", "FastCropByPosNegRatio", "false"),
    ),
    Mistake(
        "MergeBatchDims forgotten",
        drop("train.batch_transforms"),
        (TRAIN, "train.pre_transforms[5]", "MergeBatchDims in train.batch_transforms", '"batch_transforms": ['),
    ),
    Mistake(
        "MergeBatchDims without the label",
        put("train.batch_transforms[0].args.fields", "image"),
        (TRAIN, "train.batch_transforms[0].args.fields", "every field", "label"),
    ),
    Mistake(
        "MergeBatchDims where the chain gives the batch",
        put(f"{_PIPELINE}.batched_by_transforms", value=True),
        (TRAIN, f"{_PIPELINE}.batched_by_transforms", "MergeBatchDims", "false"),
    ),
    Mistake(
        "a decoder that does not fit",
        put("train.model.args.nf_dec", "8,8,8,4"),
        (TRAIN, "train.model", "nf_dec", "4 widths beside 2", "three more"),
    ),
    Mistake(
        "windows that never move on",
        put("validate.inferer.args.overlap", 1),
        (TRAIN, "validate.inferer.args.overlap", "1", "below 1", "0.25"),
    ),
    Mistake(
        "windows of the evaluation that never move on",
        put("inferer.args.overlap", 1.0, VALIDATION),
        (VALIDATION, "inferer.args.overlap", "1", "below 1", "0.25"),
        _EVALUATION,
    ),
    Mistake(
        "two key metrics",
        put(
            "validate.metrics",
            [
                {
                    "name": "ComputeAverageDice",
                    "args": {"name": name, "is_key_metric": True, "field": "model", "label_field": "label"},
                }
                for name in ("one", "two")
            ],
        ),
        (TRAIN, "validate.metrics[1].args.is_key_metric", "one key metric", "validate.metrics[0]"),
    ),
    Mistake(
        "two metrics of one name",
        put("val_metrics[1].args.name", "mean_dice", VALIDATION),
        (VALIDATION, "val_metrics[1].args.name", '"mean_dice" a second time', '"mean_dice_2"'),
        _EVALUATION,
    ),
    Mistake(
        "softmax over one class",
        put("train.model.args.num_classes", 1),
        (TRAIN, "train.model.args", "final_activation", "softmax", '"sigmoid"'),
    ),
    Mistake(
        "nothing to judge by",
        put("val_metrics", [], VALIDATION),
        (VALIDATION, "no val_metrics", "something to judge by"),
        ("evaluate",),
    ),
)

_TEXTS = (
    Mistake(
        "ture",
        replace_text(TRAIN, '"multi_gpu": false', '"multi_gpu": ture'),
        (TRAIN, "line ", "column ", "ture", "write true"),
    ),
    Mistake(
        "a comma too many",
        replace_text(TRAIN, '"use_amp": false,', '"use_amp": false,,'),
        (TRAIN, "line ", ","),
    ),
    Mistake(
        "a comma before the end",
        replace_text(ENVIRONMENT, '"eval"', '"eval",'),
        (ENVIRONMENT, "line ", "a comma before a closing bracket"),
        ("check", "train", "evaluate"),
    ),
    Mistake(
        "single quotes",
        replace_text(VALIDATION, '"validation"', "'validation'"),
        (VALIDATION, "line ", "'validation'", "text in double quotes"),
        _EVALUATION,
    ),
    Mistake("a comment", replace_text(TRAIN, "{", "{ // ours"), (TRAIN, "line 1", "a comment")),
    Mistake("not JSON at all", put_text(TRAIN, "epochs: 10\nlearning_rate: 0.1\n"), (TRAIN, "line 1", "epochs")),
    Mistake("an empty config", put_text(TRAIN, ""), (TRAIN, "an empty file", "a JSON object")),
    Mistake("a list for a config", put_text(TRAIN, "[]"), (TRAIN, "[]", "a JSON object")),
    Mistake("bytes that are no text", _byte_order_of_another_time, (TRAIN, "not UTF-8", "saved as UTF-8")),
    Mistake(
        "a key twice",
        replace_text(TRAIN, '"epochs": 2,', '"epochs": 2, "epochs": 3,'),
        (TRAIN, "epochs", "a second time", "each key once"),
    ),
    Mistake(
        "NaN",
        replace_text(TRAIN, '"learning_rate": 0.002', '"learning_rate": NaN'),
        (TRAIN, "NaN", "a finite number"),
    ),
    Mistake("an environment that is a list", put_text(ENVIRONMENT, "[1, 2]"), (ENVIRONMENT, "[1, 2]", "a JSON object")),
    Mistake(
        "a data list that is not JSON",
        put_text(LIST, "imagesTr/abdomen_001.nii.gz labelsTr/abdomen_001.nii.gz\n"),
        (LIST, "line 1", "imagesTr/abdomen_001.nii.gz", "a JSON value"),
        ("check", "train", "evaluate", "infer"),
    ),
    Mistake(
        "a data list that is a list",
        put_text(LIST, '["imagesTr/abdomen_001.nii.gz"]'),
        (LIST, "an object with lists such as training"),
        ("check", "train", "evaluate", "infer"),
    ),
)

MISTAKES = (*_TYPES, *_MISSING, *_RULES, *_TEXTS)
