"""MONAI bundles: MONAI reads them, builds network and transforms, and gives the same labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle.config_parser import ConfigParser

from tests.deploy.conftest import Make
from tests.inference.tiny import make_archive
from vesalia.deploy.base import Deployment
from vesalia.deploy.bundle import Bundle
from vesalia.errors import ConfigError, UserError
from vesalia.inference.infer import infer
from vesalia.mmar.validate import plan_evaluation

LOAD = {"name": "LoadNifti", "args": {"fields": "image"}}
TURNED = {"name": "LoadNifti", "args": {"fields": "image", "as_closest_canonical": True}}
FIRST = {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}}
ARGMAX = {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}
LINEAR = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": False}}
NEAREST = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": True}}
COPY = {"name": "CopyProperties", "args": {"fields": "model", "from_field": "image"}}
SPLIT = {"name": "SplitBasedOnLabel", "args": {"field": "model", "label_names": ["a", "b", "c"]}}


def on_image(name: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": {"fields": "image", **args}}


SPACING = on_image("ScaleByResolution", target_resolution=[1.3, 1.1, 0.9])
CASES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "another spacing": {"pre": [LOAD, FIRST, SPACING], "post": [LINEAR, ARGMAX, SPLIT]},
    "labels to the nearest": {
        "pre": [TURNED, FIRST, on_image("ScaleBySpacing", target_spacing=[1.6])],
        "post": [COPY, ARGMAX, NEAREST],
    },
    "turned and back": {
        "pre": [TURNED, FIRST, SPACING, on_image("ScaleIntensityRange", a_min=-1, a_max=3, b_max=2.0, clip=True)],
        "post": [LINEAR, ARGMAX],
    },
    "the writer's way back": {"pre": [TURNED, FIRST, on_image("ScaleByFactor", factor=[0.75, 1.3, 1.1])]},
    "sizes": {
        "pre": [
            LOAD,
            FIRST,
            on_image("ScaleToShape", target_shape=[9, 13, 11]),
            on_image("SymmetricPadderDiv", div_int=8),
        ],
        "post": [LINEAR, ARGMAX],
    },
    "the middle": {
        "pre": [LOAD, FIRST, on_image("CropSubVolumeCenter", size=[8, 16, 5])],
        "post": [LINEAR, {"name": "ThresholdValues", "args": {"fields": "model", "threshold": 0.36}}],
    },
    "normalised": {"pre": [LOAD, FIRST, on_image("NormalizeNonzeroIntensities"), on_image("CenterData")]},
    "centred": {"pre": [LOAD, FIRST, on_image("CenterData", subtrahend=1.0, divisor=[2.0])]},
    "one pass": {"pre": [LOAD, FIRST], "post": [LINEAR, ARGMAX], "inferer": {"name": "TFSimpleInferer"}},
    "gaussian": {
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [8, 5, 8], "overlap": 0.5, "mode": "gaussian"}}
    },
}


def deployed(make: Make, prefix: Path, case: dict[str, Any]) -> Deployment:
    """The tiny network with a config."""
    root = make_archive(prefix.parent.parent / "with_config", prefix.parent / "dataset.json")
    file = root / "config" / "config_validation.json"
    config = json.loads(file.read_text())
    config |= {"pre_transforms": case.get("pre", [LOAD, FIRST]), "post_transforms": case.get("post", [ARGMAX])}
    config["inferer"] = case.get("inferer", config["inferer"])
    config["writers"] = case.get("writers", config["writers"])
    file.write_text(json.dumps(config))
    settings = [f"MMAR_CKPT_DIR={prefix.parent}", f"MMAR_EVAL_OUTPUT_PATH={prefix.parent.parent / 'torch'}"]
    return replace(
        make(),
        plan=plan_evaluation(root, overrides=settings, listed=False, do_validation=False, output_infer_result=True),
    )


def write_image(folder: Path) -> Path:
    """A smooth image whose axes point elsewhere."""
    axes = np.meshgrid(*[np.linspace(0, 3, size) for size in (12, 17, 14)], indexing="ij")
    values = np.sin(axes[0] * 2) + np.cos(axes[1] * 3) + axes[2] / 3
    affine = np.array([[0, -1.0, 0, 5], [2.0, 0, 0, -3], [0, 0, -1.5, 2], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(values.astype(np.float32), affine), folder / "case.nii.gz")
    return folder / "case.nii.gz"


def run_in_monai(folder: Path, image: Path, output: Path) -> Path:
    """What MONAI makes of a bundle, with nothing of ours."""
    parser = ConfigParser()
    parser.read_config(str(folder / "configs" / "inference.json"))
    parser.read_meta(str(folder / "configs" / "metadata.json"))
    parser.update({"bundle_root": str(folder), "output_dir": str(output), "datalist": [str(image)]})
    parser.get_parsed_content("imports")
    names = ("dataset", "network", "inferer", "postprocessing")
    data, network, inferer, after = (parser.get_parsed_content(name) for name in names)
    item = data[0]
    with torch.no_grad():
        item["pred"] = inferer(item["image"][None], network)[0]
    after(item)
    return output / "case" / "case_model.nii.gz"


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_monai_gives_the_same_labels(make: Make, prefix: Path, tmp_path: Path, name: str) -> None:
    deployment = deployed(make, prefix, CASES[name])
    files = Bundle().write(deployment)
    folder = tmp_path / "out" / "bundle" / "balls"
    assert [path.relative_to(folder).as_posix() for path in files] == [
        "configs/inference.json",
        "configs/metadata.json",
        "models/model.ts",
    ]
    image = write_image(tmp_path)
    assert deployment.plan is not None
    wanted = nib.Nifti1Image.from_filename(infer(deployment.plan, images=[image]).cases[0].files[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MONAI warns of its own use of torch and NumPy
        found = nib.Nifti1Image.from_filename(run_in_monai(folder, image, tmp_path / "monai"))
    np.testing.assert_allclose(found.affine, wanted.affine, atol=1e-4)
    labels, expected = (np.asarray(one.dataobj).squeeze() for one in (found, wanted))
    assert labels.shape == expected.shape
    # Ours interpolates towards what was padded; MONAI cuts it off first, which voxels at the border notice.
    inside = (slice(1, -1),) * labels.ndim if name == "sizes" else ...
    assert (labels == expected)[inside].mean() >= 0.9999
    assert len(np.unique(labels)) > 1


def test_what_monai_has_not_is_named_at_once(make: Make, prefix: Path) -> None:
    labelled = {"name": "ScaleToShape", "args": {"fields": "image", "target_shape": [8, 8, 8], "is_label": True}}
    odd = [LOAD, FIRST, {"name": "ConvertToChannelsLast", "args": {"fields": "image"}}, labelled]
    with pytest.raises(
        ConfigError, match=r"pre_transforms\[2\]: found ConvertToChannelsLast, .*\n.*\[3\]: found ScaleTo"
    ):
        Bundle().write(deployed(make, prefix, {"pre": odd}))


@pytest.mark.parametrize(
    ("post", "writers", "said"),
    [
        ([ARGMAX, {"name": "ScaleByFactor", "args": {"fields": "model", "factor": 2}}], None, r"found ScaleByFactor"),
        ([LINEAR, ARGMAX, NEAREST], None, r"post_transforms\[2\]: found RestoreOriginalShape"),
        (
            [ARGMAX, SPLIT],
            [{"name": "WriteNifti", "args": {"field": "a"}}],
            "post_transforms.1.: found SplitBasedOnLab",
        ),
        ([ARGMAX], [], "writers: found 0 of them"),
    ],
)
def test_other_ways_back_are_refused(make: Make, prefix: Path, post: Any, writers: Any, said: str) -> None:
    case = {"post": post} | ({} if writers is None else {"writers": writers})
    with pytest.raises(ConfigError, match=said):
        Bundle().write(deployed(make, prefix, case))


def test_a_network_that_does_not_fit_is_refused(make: Make, prefix: Path) -> None:
    made = deployed(make, prefix, {})
    with pytest.raises(ConfigError, match="found no evaluation config"):
        Bundle().write(replace(made, plan=None))
    with pytest.raises(UserError, match="found a network that classifies"):
        Bundle().write(replace(made, program=replace(made.program, output_shape=(3,))))
    rigid = replace(made.program, free_sizes=False, free_batch=False, input_shape=(1, 24, 8, 8))
    with pytest.raises(UserError, match="for a network that takes"):
        Bundle().write(replace(made, program=rigid))
    Bundle().write(replace(made, program=replace(rigid, input_shape=(1, 8, 8, 8))))
    written = json.loads((made.folder / "bundle" / "balls" / "configs" / "inference.json").read_text())
    assert written["inferer"]["sw_batch_size"] == 1
