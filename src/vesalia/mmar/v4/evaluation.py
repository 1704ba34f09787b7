"""A v4 config for validation or inference as one in v3's form."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vesalia.mmar.v4.data import source_of
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.handlers import read_handlers
from vesalia.mmar.v4.judging import Judging, read_metrics, read_post
from vesalia.mmar.v4.part import Part, read_part, read_parts
from vesalia.mmar.v4.recognise import EVALUATE_NAMES, SECTION_NAMES, evaluation_section
from vesalia.mmar.v4.steps import Step, canonical, fields_of, put_places, translate_steps
from vesalia.mmar.v4.translation import Translation, check_keys, engine, translate_inferer

__all__ = ["translate_evaluation"]

_PER_KEY = frozenset({"align_corners", "dtype", "mode", "padding_mode"})
"""Arguments that may have a value per key."""
_OF_VALUES = ("ConvertToMultiChannel", "MapLabelValue", "LabelToMask", "AsDiscrete")
"""Transforms that change what a label's numbers mean, by the beginnings of their names."""


def translate_evaluation(config: Mapping[str, Any], file: str, *, values: Mapping[str, Any]) -> Translation:
    """Translate.

    Args:
        config: The config with variables in place.
        file: Its name, for messages.
        values: Every variable, by name.
    """
    done = Translation(Draft(file))
    name = evaluation_section(config)
    section, where = (config[name], f"{name}.") if name else (config, "")
    known = ("model", *SECTION_NAMES)
    check_keys(section, where, known=known if name else (*known, *sorted(EVALUATE_NAMES), *values), draft=done.draft)
    parts = read_parts(section.get("pre_transforms"), f"{where}pre_transforms", draft=done.draft)
    post = read_parts(section.get("post_transforms"), f"{where}post_transforms", draft=done.draft)
    judging = read_post(post, done.draft, saves=True)
    done.config = _chains(parts, judging, done.draft)
    multilabel = any(canonical(part.name).startswith("ConvertToMultiChannel") for part in parts)
    metrics = read_metrics(section, where, draft=done.draft, judging=judging, multilabel=multilabel, slot="val_metrics")
    if _decides(judging):
        metrics = [_by_number(metric, judging, done.draft, f"{where}post_transforms") for metric in metrics]
    done.config["val_metrics"] = metrics
    inferer = read_part(section.get("inferer"), f"{where}inferer", draft=done.draft)
    done.config["inferer"] = translate_inferer(inferer, "inferer", draft=done.draft, dims=3)
    done.config["writers"] = _writers(judging, values)
    read_handlers(section.get("handlers"), f"{where}handlers", draft=done.draft)
    evaluator = read_part(section.get("evaluator"), f"{where}evaluator", draft=done.draft)
    engine(evaluator, "evaluator", draft=done.draft)
    if "model" in section:
        done.draft.note(f"{where}model", "the best model in MMAR_CKPT_DIR")
    _settings(done, section, where, values)
    return done


def _only(part: Part, wanted: Sequence[str]) -> Part | None:
    """A transform for some of its keys; None where it has none of them."""
    keys = fields_of(part)
    chosen = [index for index, key in enumerate(keys) if key in wanted]
    if not chosen:
        return None
    args = {
        name: [value[index] for index in chosen]
        if name in _PER_KEY and isinstance(value, list) and len(value) == len(keys)
        else value
        for name, value in part.args.items()
    }
    return replace(part, args={**args, "keys": [keys[index] for index in chosen]})


def _decides(judging: Judging) -> bool:
    """Whether the prediction becomes a map of class numbers; for a score alone, probabilities do."""
    return judging.argmax and (judging.saved is not None or judging.largest is not None)


def _chains(parts: Sequence[Part], judging: Judging, draft: Draft) -> dict[str, Any]:
    labelled = {name for part in parts for name in fields_of(part) if name == "label"}
    others = {name for part in parts for name in fields_of(part)} - labelled
    silent = Draft(draft.file)  # what is said of the image's part is not said again of the label's
    image = [_only(part, sorted(others)) if fields_of(part) else part for part in parts]
    chain = translate_steps([part for part in image if part is not None], draft)
    label: list[Step] = []
    if labelled:
        of_label = [found for part in parts if (found := _only(part, ["label"])) is not None]
        label = _label_steps(of_label, silent, inverted=judging.inverted)
        draft.note("pre_transforms, as far as label goes", "label_transforms, which bring it to the prediction's grid")
    return {
        "pre_transforms": put_places(chain.steps, "pre_transforms", draft=draft),
        "post_transforms": [step.node() for step in _post_steps(judging)],
        "label_transforms": put_places(label, "label_transforms", draft=draft),
    }


def _label_steps(parts: Sequence[Part], draft: Draft, *, inverted: bool) -> list[Step]:
    """The label loaded, brought to the grid of the prediction, and its numbers changed as the config says."""
    steps = translate_steps(parts, draft).steps
    loaded = [step for step in steps if step.name in {"LoadNifti", "ConvertToChannelsFirst"}]
    loaded = [
        replace(step, args={name: value for name, value in step.args.items() if name != "as_closest_canonical"})
        for step in loaded
    ]
    where = loaded[-1].where if loaded else "pre_transforms"
    arguments = {"keys": ["label"], "key_dst": "image", "mode": "nearest", "padding_mode": "zeros"}
    match = Step("MonaiTransform", {"path": "monai.transforms.ResampleToMatchd", "arguments": arguments}, where)
    values = [step for step in steps if _called(step).startswith(_OF_VALUES)]
    return [*loaded, *([] if inverted else [match]), *values]


def _called(step: Step) -> str:
    return str(step.args.get("path", step.name)).rpartition(".")[2]


def _post_steps(judging: Judging) -> list[Step]:
    restored: list[Step] = []
    decided: list[Step] = []
    if judging.inverted:
        is_label = judging.nearest
        args = {"field": "model", "src_field": "image", "is_label": is_label}
        restored = [Step("RestoreOriginalShape", args, "")]
    if _decides(judging):
        decided = [Step("ArgmaxAcrossChannels", {"fields": "model"}, "")]
    elif judging.saved is not None and judging.activation == "sigmoid":
        decided = [Step("ThresholdValues", {"fields": "model", "threshold": judging.threshold}, "")]
    steps = [*decided, *restored] if judging.nearest else [*restored, *decided]
    if judging.largest is not None:
        labels = judging.largest.get("applied_labels")
        chosen = {"applied_labels": [labels] if isinstance(labels, int) else labels} if labels is not None else {}
        steps.append(Step("KeepLargestCC", {"fields": "model", **chosen}, ""))
    return steps


def _by_number(metric: dict[str, Any], judging: Judging, draft: Draft, key: str) -> dict[str, Any]:
    """The metric for a map of class numbers, which has to be told how many there are."""
    if judging.classes is None:
        write = '"to_onehot": 2 in AsDiscreted, with the number of classes'
        draft.fault(key, found="no number of classes", expected="one, to judge a map of class numbers", write=write)
        return metric
    return {**metric, "args": {**metric["args"], "num_classes": judging.classes}}


def _writers(judging: Judging, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    if judging.saved is None:
        return []
    is_map = judging.argmax or judging.activation == "sigmoid"
    args: dict[str, Any] = {"field": "model", "dtype": "uint8" if is_map else "float32"}
    folder = judging.saved.get("output_dir")
    if isinstance(folder, str) and folder != values.get("MMAR_EVAL_OUTPUT_PATH"):
        args["write_path"] = folder
    return [{"name": "WriteNifti", "args": args}]


def _settings(done: Translation, section: Mapping[str, Any], where: str, values: Mapping[str, Any]) -> None:
    part = read_part(section.get("dataset"), f"{where}dataset", draft=done.draft)
    source = source_of(part, f"{where}dataset", default_key=str(values.get("DATA_LIST_KEY", "validation")))
    named = {"data_list_key": "DATA_LIST_KEY", "data_list_file_path": "DATASET_JSON", "data_file_base_dir": "DATA_ROOT"}
    given = {"data_list_key": source.key, "data_list_file_path": source.file, "data_file_base_dir": source.base}
    for name, ours in named.items():
        value = given[name]
        if isinstance(value, str) and not value.startswith("{") and value != values.get(ours):
            done.set(ours, value, key=source.places[name])
    done.first("use_amp", values, top="amp")
    done.first("use_tf32", values, top="tf32")
    if "do_validation" not in values:
        done.set("do_validation", bool(done.config["val_metrics"]), key=f"{where}key_metric")
    if "output_infer_result" not in values:
        done.set("output_infer_result", bool(done.config["writers"]), key=f"{where}post_transforms")
