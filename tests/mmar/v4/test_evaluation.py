"""A config for validation or inference: image and label part ways, and meet on one grid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import BOTH, DICE, EVALUATE, part
from tests.mmar.v4.archives import changed as put
from vesalia.mmar.v4.evaluation import translate_evaluation
from vesalia.mmar.v4.translation import Translation

VALUES = {"MMAR_EVAL_OUTPUT_PATH": "{MMAR_EVAL_OUTPUT_PATH}", "amp": False}
MATCH = {
    "name": "MonaiTransform",
    "args": {
        "path": "monai.transforms.ResampleToMatchd",
        "arguments": {"keys": ["label"], "key_dst": "image", "mode": "nearest", "padding_mode": "zeros"},
    },
}


def evaluated(
    config: dict[str, Any] | None = None, values: dict[str, Any] | None = None, **changes: Any
) -> Translation:
    return translate_evaluation(put(config or EVALUATE, **changes), "c", values=values or VALUES)


def names(done: Translation, chain: str) -> list[str]:
    return [step["name"] for step in done.config[chain]]


def test_the_usual_one() -> None:
    done = evaluated()
    assert done.draft.faults == []
    assert names(done, "pre_transforms") == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleIntensityRange",
        "MonaiTransform",
    ]
    assert done.config["pre_transforms"][3]["args"]["arguments"] == {"keys": ["image"], "source_key": "image"}
    assert names(done, "label_transforms") == ["LoadNifti", "ConvertToChannelsFirst", "MonaiTransform"]
    assert done.config["label_transforms"][2] == MATCH
    assert done.config["post_transforms"] == [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}]
    assert done.config["val_metrics"][0]["args"]["num_classes"] == 2
    assert done.config["writers"] == [{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}]
    assert {name: value for name, (value, _) in done.settings.items()} == {
        "DATA_LIST_KEY": "validation",
        "use_amp": False,
        "do_validation": True,
        "output_infer_result": True,
    }


def test_values_per_key_are_shared_out() -> None:
    spacing = part("Spacingd", keys=BOTH, pixdim=[1, 1], mode=["bilinear", "nearest"])
    done = evaluated(validate__pre_transforms=[part("LoadImaged", keys=BOTH), spacing])
    assert done.config["pre_transforms"][1]["args"]["arguments"] == {
        "keys": ["image"],
        "pixdim": [1, 1],
        "mode": ["bilinear"],
    }


def test_a_score_alone_needs_no_map_of_classes() -> None:
    done = evaluated(validate__post_transforms=EVALUATE["validate"]["post_transforms"][:2])
    assert done.config["post_transforms"] == []
    assert done.config["writers"] == []
    assert "num_classes" not in done.config["val_metrics"][0]["args"]


def test_back_on_its_own_grid_the_label_stays_as_it_is_stored() -> None:
    chain = [
        part("LoadImaged", keys=BOTH),
        part("EnsureChannelFirstd", keys=BOTH),
        part("Orientationd", keys=BOTH, axcodes="RAS"),
    ]
    post = [part("Activationsd", keys="pred", softmax=True), part("Invertd", keys="pred", transform="@pre_transforms")]
    done = evaluated(validate__pre_transforms=chain, validate__post_transforms=post)
    assert done.config["label_transforms"][0]["args"] == {"fields": ["label"]}
    assert names(done, "label_transforms") == ["LoadNifti", "ConvertToChannelsFirst"]
    assert done.config["pre_transforms"][0]["args"]["as_closest_canonical"] is True
    assert done.config["post_transforms"] == [
        {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": True}}
    ]


@pytest.mark.parametrize(("nearest", "wanted"), [(True, 0), (False, 1)])
def test_the_order_of_deciding_and_restoring(nearest: bool, wanted: int) -> None:
    post = EVALUATE["validate"]["post_transforms"]
    inverse = part("Invertd", keys="pred", transform="@pre_transforms", nearest_interp=nearest)
    done = evaluated(validate__post_transforms=[post[0], inverse, *post[1:]])
    assert names(done, "post_transforms").index("ArgmaxAcrossChannels") == wanted


def test_regions_that_overlap() -> None:
    chain = [part("LoadImaged", keys=BOTH), part("ConvertToMultiChannelBasedOnBratsClassesd", keys="label")]
    post = [
        part("Activationsd", keys="pred", sigmoid=True),
        part("AsDiscreted", keys="pred", threshold=0.4),
        part("SaveImaged", keys="pred", output_dir="elsewhere"),
    ]
    done = evaluated(validate__pre_transforms=chain, validate__post_transforms=post)
    assert names(done, "label_transforms") == [
        "LoadNifti",
        "MonaiTransform",
        "ConvertToMultiChannelBasedOnBratsClasses",
    ]
    assert done.config["val_metrics"][0]["args"]["is_one_hot_targets"] is True
    assert done.config["post_transforms"] == [
        {"name": "ThresholdValues", "args": {"fields": "model", "threshold": 0.4}}
    ]
    assert done.config["writers"][0]["args"] == {"field": "model", "dtype": "uint8", "write_path": "elsewhere"}


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ({}, {}),
        ({"applied_labels": 1}, {"applied_labels": [1]}),
        ({"applied_labels": [1, 2]}, {"applied_labels": [1, 2]}),
    ],
)
def test_the_largest_component(args: dict[str, Any], wanted: dict[str, Any]) -> None:
    post = [*EVALUATE["validate"]["post_transforms"][:2], part("KeepLargestConnectedComponentd", keys="pred", **args)]
    done = evaluated(validate__post_transforms=post)
    assert done.config["post_transforms"][-1] == {"name": "KeepLargestCC", "args": {"fields": "model", **wanted}}


def test_a_map_of_unknown_classes_cannot_be_judged() -> None:
    post = [part("AsDiscreted", keys="pred", argmax=True), part("SaveImaged", keys="pred")]
    done = evaluated(validate__post_transforms=post)
    assert [fault.key for fault in done.draft.faults] == ["validate.post_transforms"]
    assert done.config["writers"][0]["args"]["dtype"] == "uint8"


def test_inference_alone_at_the_top_level() -> None:
    config = {
        "num_interval_per_valid": 1,
        "tf32": True,
        "pre_transforms": [part("LoadImaged", keys="image")],
        "dataset": {"name": "Dataset", "data_list_key": "testing", "data_list_file_path": "other.json"},
        "post_transforms": [part("SaveImaged", keys="pred")],
        "inferer": part("SimpleInferer"),
    }
    done = evaluated(config, values={"num_interval_per_valid": 1, "tf32": True})
    assert done.draft.faults == []
    assert done.config["label_transforms"] == []
    assert done.config["writers"][0]["args"] == {"field": "model", "dtype": "float32"}
    assert done.settings == {
        "DATA_LIST_KEY": ("testing", "dataset.data_list_key"),
        "DATASET_JSON": ("other.json", "dataset.data_list_file_path"),
        "use_tf32": (True, "tf32"),
        "do_validation": (False, "key_metric"),
        "output_infer_result": (True, "post_transforms"),
    }


def test_what_the_command_line_asks_stays() -> None:
    values = {**VALUES, "do_validation": False, "output_infer_result": True}
    assert not {"do_validation", "output_infer_result"} & evaluated(values=values).settings.keys()


def test_a_label_that_is_never_loaded_is_still_brought_to_the_grid() -> None:
    done = evaluated(validate__pre_transforms=[part("Flipd", keys="label", spatial_axis=0)], validate__metrics=[DICE])
    assert done.config["label_transforms"] == [MATCH]


def test_a_transform_without_fields_is_told_once() -> None:
    done = evaluated(validate__pre_transforms=[part("LoadImaged", keys=BOTH), part("Spacingd", pixdim=1)])
    assert [fault.key for fault in done.draft.faults] == ["validate.pre_transforms[1].args.keys"]
