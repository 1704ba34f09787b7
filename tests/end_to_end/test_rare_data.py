"""Whole commands on what is rare: regions that overlap, labels of one voxel or none, one output channel, more names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from tests.tiny_archive import make_archive, read_config, write_config
from vesalia.api import Archive

pytestmark = pytest.mark.slow

BOTH = ["image", "label"]


def step(name: str, /, **arguments: Any) -> dict[str, Any]:
    """A component of a config."""
    return {"name": name, "args": arguments}


def rewrite_label(folder: Path, case: int, *, change: Any) -> None:
    """Change the voxels of one label."""
    path = folder / "labelsTr" / f"case_{case}.nii.gz"
    image = nib.load(path)
    data = np.asarray(image.dataobj).astype(np.uint8)  # type: ignore[attr-defined]
    nib.save(nib.Nifti1Image(change(data), image.affine), path)  # type: ignore[attr-defined]


def one_voxel(data: Any) -> Any:
    """A label of a single voxel."""
    alone = np.zeros_like(data)
    alone[7, 8, 9] = 1
    return alone


@pytest.fixture
def odd(tmp_path: Path, balls: Path) -> Path:
    """An archive with a label of one voxel and one of none, in training and in validation."""
    folder = shutil.copytree(balls.parent, tmp_path / "data")
    for case in (0, 4):
        rewrite_label(folder, case, change=one_voxel)
    for case in (1, 5):
        rewrite_label(folder, case, change=np.zeros_like)
    return make_archive(tmp_path / "archive", folder / "dataset.json")


def train(root: Path, config: dict[str, Any]) -> None:
    """Two epochs, validated once."""
    config["epochs"] = 2
    write_config(root, config)
    Archive(root).train(seed=1, device="cpu")


def test_labels_of_one_voxel_or_none_with_every_augmentation(odd: Path) -> None:
    config = read_config(odd)
    chain = config["train"]["pre_transforms"]
    crop = {"fields": "image", "label_field": "label", "pos": 1, "neg": 1}
    chain[3:] = [
        step("CenterData", fields="image"),
        step("FastCropByPosNegRatio", size=[8, 8, 24], batch_size=2, **crop),
        step("RandomSpatialFlip", fields=BOTH),
        step("AdjustContrast", fields="image", gamma=[0.5, 2.0]),
        step("RandomGaussianSmooth", fields="image", sigma=[0.5, 1.0]),
        step("RandomMRBiasField", fields="image"),
        step("AddGaussianNoise", fields="image"),
        step("ScaleIntensityOscillation", fields="image", magnitude=0.1),
        step("ScaleShiftIntensity", fields="image"),
    ]
    config["train"]["batch_transforms"] = [step("MergeBatchDims", fields=BOTH)]
    config["train"]["loss"] = step("FocalDice", skip_background=True)
    config["train"]["aux_ops"] = [step("DiceMaskedOutput", tags=["dice", "dice_1"], skip_background=True)]
    config["validate"]["pre_transforms"].append(step("CenterData", fields="image"))
    config["validate"]["metrics"] = [
        step("ComputeHausdorff95", name="hd95", field="model", negate_value=True, is_key_metric=True),
        step("ComputeAverageSurfaceDice", name="nsd", field="model", tolerance_mm=2),
        step("ComputeAverage", name="masked", field="dice"),
    ]
    train(odd, config)
    judged = read_config(odd, "config_validation.json")
    judged["pre_transforms"].append(step("CenterData", fields="image"))
    names = [f"pred_class{number}" for number in range(3)]
    truths = [f"label_class{number}" for number in range(3)]
    judged["post_transforms"] += [
        step("SplitBasedOnLabel", field="model", label_names=names),
        step("KeepLargestCC", fields=names),
    ]
    judged["label_transforms"].append(step("SplitBasedOnLabel", field="label", label_names=truths))
    judged["val_metrics"] = [
        step("ComputeAverageDice", name=f"dice_{number}", field=names[number], label_field=truths[number])
        for number in range(3)
    ]
    judged["val_metrics"] += [
        step("ComputeHausdorff95", name="hd95", field="model", num_classes=2),
        step("ComputeAverageDice", name="itself", field="label", label_field="label"),
    ]
    write_config(odd, judged, "config_validation.json")
    result = Archive(odd).evaluate(device="cpu")
    assert result.metrics["dice_0"].overall.count == 2
    assert result.metrics["dice_1"].overall.count == 1  # the other label has no foreground
    assert (result.metrics["dice_2"].overall.count, math.isnan(result.metrics["dice_2"].overall.mean)) == (0, True)
    assert result.metrics["itself"].overall.mean == 1.0
    assert result.metrics["hd95"].overall.count == 1
    assert result.metrics["hd95"].overall.mean <= math.hypot(16, 16, 32)  # mm: voxels are 1 x 1 x 2


def test_one_output_channel_and_an_extreme_points_channel(odd: Path) -> None:
    config = read_config(odd)
    config["train"]["model"]["args"] |= {"num_classes": 1, "final_activation": "sigmoid"}
    config["train"]["loss"] = step("CrossEntropyDice")
    points = step("AddExtremePointsChannel", image_field="image", label_field="label", sigma=1.5, permutation=1)
    config["train"]["pre_transforms"].append(points)
    config["validate"]["pre_transforms"].append({**points, "args": {**points["args"], "permutation": 0}})
    for section in ("train", "validate"):
        config[section]["image_pipeline"]["args"]["output_image_channels"] = 2
    config["train"]["aux_ops"] = [step("ComputeDice", tag="dice")]
    train(odd, config)
    judged = read_config(odd, "config_validation.json")
    judged["label_transforms"] = []
    judged["pre_transforms"] = [
        step("LoadNifti", fields=BOTH),
        step("ConvertToChannelsFirst", fields=BOTH),
        step("ScaleIntensityRange", fields="image", a_min=-50, a_offset=200, clip=True),
        step("AddExtremePointsChannel", image_field="image", label_field="label", sigma=1.5),
    ]
    judged["post_transforms"] = [step("ThresholdValues", fields="model", threshold=0.5)]
    judged["val_metrics"] = [step("ComputeAverageDice", name="dice", field="model")]
    write_config(odd, judged, "config_validation.json")
    assert Archive(odd).evaluate(device="cpu").metrics["dice"].overall.count == 1


def test_regions_that_overlap(tmp_path: Path, balls: Path) -> None:
    folder = shutil.copytree(balls.parent, tmp_path / "data")
    for case in range(6):
        rewrite_label(folder, case, change=_tumour)
    root = make_archive(tmp_path / "archive", folder / "dataset.json")
    config = read_config(root)
    regions = step("ConvertToMultiChannelBasedOnBratsClasses", fields="label")
    config["train"]["pre_transforms"].insert(2, regions)
    config["validate"]["pre_transforms"].insert(2, {"ref": regions["name"]})
    config["train"]["model"]["args"] |= {"num_classes": 3, "final_activation": "sigmoid"}
    config["train"]["loss"] = step("Dice", is_onehot_targets=True)
    for section in ("train", "validate"):
        config[section]["image_pipeline"]["args"]["output_label_channels"] = 3
    judging = {"field": "model", "is_one_hot_targets": True, "remove_bg": False}
    config["validate"]["metrics"] = [
        step("ComputeAverageDice", name="dice", is_key_metric=True, **judging),
        step("ComputeHausdorff95", name="hd95", **judging),
    ]
    train(root, config)
    judged = read_config(root, "config_validation.json")
    judged["post_transforms"] = [
        step("ThresholdValues", fields="model"),
        step("SplitAcrossChannels", field="model", channel_names=["pred_tc", "pred_wt", "pred_et"]),
    ]
    split = step("SplitBasedOnBratsClasses", field="label", label_names=["tc", "wt", "et"])
    judged["label_transforms"].append(split)
    judged["val_metrics"] = [
        step("ComputeAverageDice", name=name, field=f"pred_{name}", label_field=name) for name in ("tc", "wt", "et")
    ]
    judged["writers"] = []
    write_config(root, judged, "config_validation.json")
    result = Archive(root).evaluate(device="cpu")
    assert [result.metrics[name].overall.count for name in ("tc", "wt", "et")] == [2, 2, 2]


def _tumour(ball: Any) -> Any:
    """Necrosis, oedema and enhancing tumour in a ball, along the first axis."""
    place = np.arange(ball.shape[0])[:, None, None] + np.zeros_like(ball)
    return np.where(ball > 0, np.where(place < 7, 2, np.where(place < 9, 1, 4)), 0).astype(np.uint8)
