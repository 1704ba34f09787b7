"""Seeded mistakes: names of components, arguments, keys, variables and files that are not what was meant."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from tests.end_to_end.mistakes import Damage, Mistake, all_of, as_it_is, drop, put, slip, step
from tests.end_to_end.workbench import ENVIRONMENT, TRAIN, VALIDATION

__all__ = ["MISTAKES"]

_EVALUATION = ("check", "evaluate", "infer")


def _component(slot: str, right: str, wrong: str, path: str) -> Mistake:
    says = (TRAIN, f"{path}.name", f'"{wrong}"', f'"{right}" (did you mean this?)')
    return Mistake(f"{slot} misspelt", put(f"{path}.name", wrong), says)


def _evaluation_component(slot: str, right: str, wrong: str, path: str) -> Mistake:
    says = (VALIDATION, f"{path}.name", f'"{wrong}"', f'"{right}" (did you mean this?)')
    return Mistake(f"{slot} of the evaluation misspelt", put(f"{path}.name", wrong, VALIDATION), says, _EVALUATION)


def _argument(slot: str, right: str, wrong: str, path: str, value: object = 1) -> Mistake:
    says = (TRAIN, f"{path}.args", wrong, f"{right} (did you mean this?)")
    return Mistake(f"argument of a {slot} misspelt", put(f"{path}.args.{wrong}", value), says)


def _renamed(slot: str, right: str, wrong: str, path: str, file: str = TRAIN) -> Mistake:
    says = (file, f"{path}.args", wrong, f"{right} (did you mean this?)")
    commands = ("check", "train") if file == TRAIN else _EVALUATION
    return Mistake(f"argument of {slot} misspelt", slip(f"{path}.args.{right}", wrong, file), says, commands)


def _with_aux_op(name: str, **args: object) -> Damage:
    return put("train.aux_ops", [{"name": name, "args": args}])


MISTAKES = (
    _component("loss", "CrossEntropyDice", "CrossEntopyDice", "train.loss"),
    _component("model", "Unet", "Uent", "train.model"),
    _component("optimizer", "Adam", "Adma", "train.optimizer"),
    _component("learning-rate policy", "ReducePoly", "ReducePolly", "train.lr_policy"),
    _component("transform", "LoadNifti", "LoadNiftii", "train.pre_transforms[0]"),
    _component("batch transform", "MergeBatchDims", "MergeBatchDim", "train.batch_transforms[0]"),
    _component(
        "image pipeline",
        "SegmentationImagePipelineWithCache",
        "SegmentationImagePipelineWithCahce",
        "train.image_pipeline",
    ),
    _component("inferer", "TFScanWindowInferer", "TFScanWindowInferrer", "validate.inferer"),
    _component("metric", "ComputeAverageDice", "ComputeAverageDcie", "validate.metrics[0]"),
    Mistake(
        "auxiliary operation misspelt",
        _with_aux_op("NegLos"),
        (TRAIN, "train.aux_ops[0].name", '"NegLos"', '"NegLoss" (did you mean this?)'),
    ),
    Mistake(
        "handler misspelt",
        put("train.handlers", [{"name": "StatsHandlr"}]),
        (TRAIN, "train.handlers[0].name", '"StatsHandlr"', '"StatsHandler" (did you mean this?)'),
    ),
    _evaluation_component("inferer", "TFScanWindowInferer", "TFScanWindowInfere", "inferer"),
    _evaluation_component("model loader", "CheckpointLoader", "ChekpointLoader", "model_loader"),
    _evaluation_component("transform", "LoadNifti", "LoadNfiti", "pre_transforms[0]"),
    _evaluation_component("post transform", "ArgmaxAcrossChannels", "ArgmaxAcrosChannels", "post_transforms[1]"),
    _evaluation_component("label transform", "LoadNifti", "LaodNifti", "label_transforms[0]"),
    _evaluation_component("metric", "ComputeAverageDice", "ComputeAveragDice", "val_metrics[0]"),
    _evaluation_component("writer", "WriteNifti", "WriteNifty", "writers[0]"),
    _argument("loss", "skip_background", "skip_backgroud", "train.loss", value=True),
    _argument("optimizer", "epsilon", "epsilonn", "train.optimizer", value=1e-8),
    _renamed("the model", "num_classes", "num_clases", "train.model"),
    _renamed("the learning-rate policy", "poly_power", "poly_powr", "train.lr_policy"),
    _renamed("a transform", "fields", "feilds", "train.pre_transforms[0]"),
    _renamed("a batch transform", "fields", "field", "train.batch_transforms[0]"),
    _renamed("the image pipeline", "output_batch_size", "output_bach_size", "train.image_pipeline"),
    _renamed("the inferer", "roi_size", "roi_sise", "validate.inferer"),
    _renamed("a metric", "is_key_metric", "is_key_metirc", "validate.metrics[0]"),
    _renamed("a writer", "dtype", "dtpe", "writers[0]", VALIDATION),
    _renamed("the model loader", "checkpoint_dir", "checkpoint_dri", "model_loader", VALIDATION),
    Mistake(
        "argument of an auxiliary operation misspelt",
        _with_aux_op("NegLoss", tags="loss"),
        (TRAIN, "train.aux_ops[0].args", "tags", "tag (did you mean this?)"),
    ),
    Mistake(
        "a setting misspelt",
        slip("learning_rate", "learning_rte"),
        (TRAIN, "learning_rte", "learning_rate (did you mean this?)"),
    ),
    Mistake("a section misspelt", slip("validate", "validat"), (TRAIN, "validat", "validate (did you mean this?)")),
    Mistake(
        "a section of the evaluation misspelt",
        slip("post_transforms", "post_transform", VALIDATION),
        (VALIDATION, "post_transform", "post_transforms (did you mean this?)"),
        _EVALUATION,
    ),
    Mistake(
        "a part of train misspelt",
        slip("train.lr_policy", "lr_polcy"),
        (TRAIN, "train", "lr_polcy", "lr_policy (did you mean this?)"),
    ),
    Mistake(
        "an attribute of a component misspelt",
        slip("train.loss.name", "nmae"),
        (TRAIN, "train.loss", "nmae", "name (did you mean this?)"),
    ),
    Mistake(
        "a variable of the environment misspelt",
        slip("MMAR_CKPT_DIR", "MMAR_CKTP_DIR", ENVIRONMENT),
        (ENVIRONMENT, "MMAR_CKTP_DIR", "MMAR_CKPT_DIR (did you mean this?)"),
    ),
    Mistake(
        "a variable after --set misspelt",
        as_it_is,
        ("--set", "epohcs", "epochs (did you mean this?)"),
        options=("--set", "epohcs=1"),
    ),
    Mistake(
        "a value after --set without its name",
        as_it_is,
        ("--set", '"=3"', "NAME=value"),
        options=("--set", "=3"),
    ),
    Mistake(
        "a path into the config after --set",
        as_it_is,
        ("--set", "train.model.num_classes", "a top-level key", "the config file"),
        options=("--set", "train.model.num_classes=3"),
    ),
    Mistake("a word where no word belongs", as_it_is, ("epochs",), options=("epochs",)),
    Mistake(
        "a section after --set",
        as_it_is,
        ("--set", "train", "a name with one value"),
        options=("--set", "train={}"),
    ),
    Mistake(
        "a reference to nothing",
        put("validate.pre_transforms[2].ref", "ScaleImgae"),
        (TRAIN, "validate.pre_transforms[2].ref", '"ScaleImgae"', '"ScaleImage" (did you mean this?)'),
    ),
    Mistake(
        "an alias twice",
        put("train.pre_transforms[3].name", "ScaleByResolution#ScaleImage"),
        (TRAIN, "validate.pre_transforms[2].ref", '"ScaleImage" of transforms that differ', "an alias of its own"),
    ),
    Mistake(
        "a field that nothing makes",
        step("ScaleIntensityRange", "fields", "imgae"),
        (TRAIN, "train.pre_transforms[4].args.fields", '"imgae"', '"image" (did you mean this?)'),
    ),
    Mistake(
        "a variable that is set nowhere",
        put("train.image_pipeline.args.data_list_key", "{TRAINING_LIST}"),
        (TRAIN, "train.image_pipeline.args.data_list_key", "{TRAINING_LIST}", "--set TRAINING_LIST="),
    ),
    Mistake(
        "a variable misspelt where it is used",
        put("train.image_pipeline.args.data_file_base_dir", "{DATA_ROTO}"),
        (TRAIN, "train.image_pipeline.args.data_file_base_dir", "{DATA_ROTO}", "{DATA_ROOT}"),
    ),
    Mistake(
        "variables that need each other",
        all_of(put("DATA_ROOT", "{BASE}/data", ENVIRONMENT), put("BASE", "{DATA_ROOT}/..", ENVIRONMENT)),
        (ENVIRONMENT, "DATA_ROOT", "BASE", "no circle"),
        ("check", "train", "evaluate"),
    ),
    Mistake(
        "a loss in the place of the model",
        put("train.model.name", "Dice"),
        (TRAIN, "train.model.name", '"Dice"', "a model", "Dice is a loss"),
    ),
    Mistake(
        "no config of this name",
        as_it_is,
        ("config/config_trian.json", "no such file", "config_train.json (did you mean this one?)"),
        options=("-c", "config/config_trian.json"),
    ),
    Mistake(
        "no environment of this name",
        as_it_is,
        ("config/enviroment.json", "no such file", "environment.json (did you mean this one?)"),
        ("check", "train", "evaluate"),
        ("-e", "config/enviroment.json"),
    ),
    Mistake(
        "the data list is not where the environment says",
        put("DATASET_JSON", "config/datasets.json", ENVIRONMENT),
        (ENVIRONMENT, "DATASET_JSON", "datasets.json", "does not exist", "--set DATASET_JSON=FILE"),
        ("check", "train", "evaluate", "infer"),
    ),
    Mistake(
        "the data are not where the environment says",
        put("DATA_ROOT", "../date", ENVIRONMENT),
        (ENVIRONMENT, "DATA_ROOT", "date", "does not exist", "--set DATA_ROOT=FOLDER"),
        ("check", "train", "evaluate", "infer"),
    ),
    Mistake(
        "no data list in the environment",
        drop("DATASET_JSON", ENVIRONMENT),
        ("DATASET_JSON", "nothing", "--set DATASET_JSON="),
        ("evaluate", "infer"),
    ),
    Mistake(
        "a task that is none",
        put("PROCESSING_TASK", "segmentaton", ENVIRONMENT),
        (ENVIRONMENT, "PROCESSING_TASK", '"segmentaton"', '"segmentation"'),
    ),
)
