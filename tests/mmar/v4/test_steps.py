"""Chains of MONAI's transforms: ours where they mean the same, MONAI's own where not, and a word where neither."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from tests.mmar.v4.archives import BOTH, part
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import read_parts
from vesalia.mmar.v4.steps import Chain, canonical, put_places, translate_steps

LOAD = part("LoadImaged", keys=BOTH)


def chain(*nodes: dict[str, Any], draft: Draft | None = None) -> Chain:
    draft = draft or Draft("c")
    return translate_steps(read_parts(list(nodes), "t", draft=draft), draft)


def only(node: dict[str, Any]) -> dict[str, Any]:
    """The one step that a transform becomes."""
    steps = chain(node).steps
    assert len(steps) == 1
    return steps[0].node()


@pytest.mark.parametrize(
    ("node", "name", "args"),
    [
        (part("LoadImaged", keys="image"), "LoadNifti", {"fields": ["image"]}),
        (part("LoadImageDict", keys=BOTH, reader="ITKReader", dtype="float32"), "LoadNifti", {"fields": BOTH}),
        (part("LoadNiftiD", keys=BOTH), "LoadNifti", {"fields": BOTH}),
        (part("AsChannelFirstd", keys=BOTH), "ConvertToChannelsFirst", {"fields": BOTH}),
        (part("AddChanneld", keys="label"), "ConvertToChannelsFirst", {"fields": ["label"]}),
        (
            part("ScaleIntensityRanged", keys="image", a_min=0, a_max=2, b_min=0.0, b_max=1.0),
            "ScaleIntensityRange",
            {"fields": ["image"], "a_min": 0, "a_max": 2, "b_min": 0.0, "b_max": 1.0},
        ),
        (
            part("NormalizeIntensityd", keys="image", nonzero=True, channel_wise=True),
            "NormalizeNonzeroIntensities",
            {"fields": ["image"]},
        ),
        (part("RandAxisFlipd", keys=BOTH), "RandomAxisFlip", {"fields": BOTH, "probability": 0.1}),
        (
            part("RandShiftIntensityd", keys="image", offsets=0.2),
            "ScaleIntensityOscillation",
            {"fields": ["image"], "magnitude": 0.2, "probability": 0.1},
        ),
        (
            part("ConvertToMultiChannelBasedOnBratsClassesd", keys="label"),
            "ConvertToMultiChannelBasedOnBratsClasses",
            {"fields": ["label"]},
        ),
    ],
)
def test_ours_where_it_means_the_same(node: dict[str, Any], name: str, args: dict[str, Any]) -> None:
    assert only(node) == {"name": name, "args": args}


@pytest.mark.parametrize(
    "node",
    [
        part("ScaleIntensityRanged", keys="image", a_min=0, a_max=2, b_min=None, b_max=None),
        part("ScaleIntensityRanged", keys="image", a_min=0, a_max=2, b_min=0, b_max=1, dtype="float16"),
        part("NormalizeIntensityd", keys="image"),
        part("NormalizeIntensityd", keys="image", subtrahend=1.0, divisor=2.0),
        part("RandAxisFlipd", keys=BOTH, prob=0.5, other=1),
        part("RandShiftIntensityd", keys="image", offsets=[0.1, 0.2]),
        part("RandShiftIntensityd", keys="image", offsets=0.1, channel_wise=True),
        part("RandFlipd", keys=BOTH, prob=0.5, spatial_axis=0),
        part("Spacingd", keys=BOTH, pixdim=[1, 1, 1]),
        part("Orientationd", keys=BOTH, axcodes="RAS"),
    ],
)
def test_monais_own_where_not(node: dict[str, Any]) -> None:
    path = f"monai.transforms.{node['name']}"
    assert only(node) == {"name": "MonaiTransform", "args": {"path": path, "arguments": node["args"]}}


def test_loading_with_channels_first_is_two_steps() -> None:
    found = chain(part("LoadImaged", keys=BOTH, ensure_channel_first=True))
    assert [step.name for step in found.steps] == ["LoadNifti", "ConvertToChannelsFirst"]


def test_ras_after_loading_is_the_loaders_work() -> None:
    found = chain(LOAD, part("EnsureChannelFirstd", keys=BOTH), part("Orientationd", keys=BOTH, axcodes="RAS"))
    assert [step.name for step in found.steps] == ["LoadNifti", "ConvertToChannelsFirst"]
    assert found.steps[0].args["as_closest_canonical"] is True


@pytest.mark.parametrize(
    "node",
    [part("Orientationd", keys=BOTH, axcodes="LPS"), part("Orientationd", keys="image", axcodes="RAS")],
)
def test_any_other_orientation_is_monais(node: dict[str, Any]) -> None:
    assert [step.name for step in chain(LOAD, node).steps] == ["LoadNifti", "MonaiTransform"]


def test_a_crop_around_foreground_gives_a_batch_that_is_merged() -> None:
    found = chain(part("RandCropByPosNegLabeld", keys=BOTH, label_key="label", spatial_size=[8, 8, 8], num_samples=4))
    assert [step.node() for step in found.steps] == [
        {
            "name": "CropByPosNegRatio",
            "args": {"size": [8, 8, 8], "fields": BOTH, "label_field": "label", "batch_size": 4},
        }
    ]
    assert [step.node() for step in found.batch_steps] == [{"name": "MergeBatchDims", "args": {"fields": BOTH}}]
    assert found.crop == [8, 8, 8]


@pytest.mark.parametrize("more", [{"image_key": "image"}, {"spatial_size": [-1, 8, 8]}, {"spatial_size": 8}])
def test_a_crop_that_asks_the_image_or_the_whole_is_monais(more: dict[str, Any]) -> None:
    args = {"keys": BOTH, "label_key": "label", "spatial_size": [8, 8, 8], "fg_indices_key": "x", **more}
    found = chain(part("FgBgToIndicesd", keys="label"), part("RandCropByPosNegLabeld", **args))
    assert [step.name for step in found.steps] == ["MonaiTransform"]
    assert "fg_indices_key" not in found.steps[0].args["arguments"]
    assert len(found.batch_steps) == 1


def test_three_flips_in_a_row_are_one() -> None:
    flips = [part("RandFlipd", keys=BOTH, prob=0.5, spatial_axis=axis) for axis in ([0], 1, 2)]
    found = chain(LOAD, *flips)
    assert found.steps[1].node() == {"name": "RandomSpatialFlip", "args": {"fields": BOTH, "probability": 0.5}}
    assert found.steps[1].where == "t[1]"


@pytest.mark.parametrize("last", [{"spatial_axis": 1}, {"spatial_axis": [0, 1]}, {"prob": 0.1, "spatial_axis": 2}])
def test_other_flips_stay_as_they_are(last: dict[str, Any]) -> None:
    flips = [part("RandFlipd", keys=BOTH, prob=0.5, spatial_axis=axis) for axis in (0, 1)]
    found = chain(LOAD, *flips, part("RandFlipd", **{"keys": BOTH, "prob": 0.5, **last}))
    assert [step.name for step in found.steps] == ["LoadNifti", *["MonaiTransform"] * 3]


def test_what_has_no_effect_here_is_noted() -> None:
    draft = Draft("c")
    found = chain(part("ToTensord", keys=BOTH), part("DataStatsd", keys="image"), draft=draft)
    assert found.steps == []
    assert draft.notes[0] == "t[0] ToTensord -> nothing (data are tensors here)"


@pytest.mark.parametrize(
    ("node", "line"),
    [
        (
            part("Lambdad", keys="label", func="x"),
            (
                't[0].name: found "Lambdad", expected a transform that runs here (Lambdad does not); write a transform '
                "of your own in the archive's custom folder"
            ),
        ),
        (
            part("Spacngd", keys="label"),
            (
                't[0].name: found "Spacngd", expected a dictionary transform of MONAI (its name ends in d); write '
                '"Spacingd" (did you mean this?)'
            ),
        ),
        (
            part("Spacing", pixdim=1),
            't[0].args.keys: found null, expected names of fields; write "keys": ["image", "label"]',
        ),
        (
            part("LoadImaged", keys="image", reader="PILReader"),
            (
                't[0].args.reader: found "PILReader", expected NibabelReader, ITKReader or nothing (NIfTI is read); '
                "write nothing here"
            ),
        ),
    ],
)
def test_what_cannot_be_is_told(node: dict[str, Any], line: str) -> None:
    draft = Draft("c")
    chain(node, draft=draft)
    assert [str(fault).removeprefix("c: ") for fault in draft.faults] == [line]


def test_custom_code_goes_through_as_it_is() -> None:
    found = chain({"path": "mine.Step", "args": {"a": 1}})
    assert [step.node() for step in found.steps] == [{"path": "mine.Step", "args": {"a": 1}}]


def test_key_paths_lead_back() -> None:
    draft = Draft("c")
    nodes = [part("RandAxisFlipd", keys=BOTH), part("ToTensord", keys=BOTH), part("Flipd", keys=BOTH, spatial_axis=0)]
    put_places(chain(*nodes, draft=draft).steps, "train.pre_transforms", draft=draft)
    first, second = "train.pre_transforms[0]", "train.pre_transforms[1]"
    assert draft.places.of(f"{first}.args.probability") == "t[0].args.prob"
    assert draft.places.of(f"{first}.args.fields") == "t[0].args.keys"
    assert draft.places.of(f"{second}.args.arguments.spatial_axis") == "t[2].args.spatial_axis"
    assert draft.places.of(f"{second}.args.path") == "t[2].name"
    assert draft.places.of(f"{second}.args.spatial_axis") == "t[2].args.spatial_axis"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("SpacingD", "Spacingd"),
        ("SpacingDict", "Spacingd"),
        ("Spacingd", "Spacingd"),
        ("D", "D"),
        ("SplitChanneld", "SplitDimd"),
    ],
)
def test_endings_are_one(name: str, wanted: str) -> None:
    assert canonical(name) == wanted
