"""A subject from file to labels: ONNX Runtime without torch against torch, both on the processor, in turns.

Two networks, each trained for a moment on what it sees, so that its classes are decided: the Unet of
examples/hippocampus on an image of 36 x 50 x 36 voxels, and SegResnet on a made CT of 256 x 256 x 256 voxels that is
resampled to 1.5 mm and back. torch runs in float32 as `vesalia infer` does with use_amp=false, and in bfloat16 where
use_amp would. `ratio` is torch in float32 to ONNX Runtime, the smaller one of both networks; `equal` is the share of
voxels with the same label, the smaller one as well.

    python benchmarks/onnx_engine.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import torch
from side_by_side import in_turns, report, say

from vesalia.deploy.export import Wish, export
from vesalia.deploy.runner.archive import plan_for
from vesalia.deploy.runner.run import open_plan
from vesalia.imaging.volume import Sample
from vesalia.inference.assemble import InferenceOptions, assemble
from vesalia.inference.card import model_card
from vesalia.inference.weights import save_weights
from vesalia.mmar.build import build
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.validate import plan_evaluation
from vesalia.pipelines.datalist import items_of
from vesalia.registry.registry import find
from vesalia.runtime.precision import choose_precision

GOAL = 1.5
LARGEST_CROP = 48
CLASSES = ("background", "body", "organ")
CPU = torch.device("cpu")
HIPPOCAMPUS: dict[str, Any] = {
    "model": ("Unet", {"nf_enc": [16, 32, 32, 32], "nf_dec": [32, 32, 32, 32, 32, 16, 16], "use_group_norm": True}),
    "shape": (36, 50, 36),
    "spacing": (1.0, 1.0, 1.0),
    "window": [32, 48, 32],
    "inferer": {"batch_size": 4, "overlap": 0.5, "mode": "gaussian"},
    "pre": [],
}
CT: dict[str, Any] = {
    "model": ("SegResnet", {"init_filters": 8}),
    "shape": (256, 256, 256),
    "spacing": (0.8, 0.8, 1.5),
    "window": [96, 96, 96],
    "inferer": {"batch_size": 1, "overlap": 0.25},
    "pre": [{"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [1.5, 1.5, 1.5]}}],
}
SMALL_CT: dict[str, Any] = {**CT, "shape": (48, 40, 32), "window": [32, 32, 32]}
SCALING = {"a_min": -200, "a_max": 300, "b_min": -1.0, "b_max": 1.0, "clip": True}


def made_ct(shape: tuple[int, ...], *, seed: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """A body in air with an organ in it, all of it noisy."""
    axes = np.meshgrid(*[np.linspace(-1, 1, size, dtype=np.float32) for size in shape], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    organ = np.sqrt(sum((axis - 0.2) ** 2 for axis in axes)) + 0.05 * np.sin(9 * axes[0]) * np.cos(7 * axes[1])
    label = np.where(organ < 0.35, 2, radius < 0.9).astype(np.uint8)
    values = np.array([-900, 20, 140], dtype=np.float32)[label]
    return (values + np.random.default_rng(seed).normal(0, 40, shape)).astype(np.int16), label


def trained(job: dict[str, Any], plan: ComponentPlan, *, steps: int) -> torch.nn.Module:
    """The network after some steps on crops of such images."""
    torch.manual_seed(0)
    model: torch.nn.Module = build(plan, in_channels=1)
    image, label = made_ct(tuple(min(size, LARGEST_CROP) for size in job["window"]), seed=1)
    scaled = np.clip((image + 200.0) / 500.0 * 2 - 1, -1, 1).astype(np.float32)
    inputs, wanted = torch.from_numpy(scaled)[None, None], torch.from_numpy(label.astype(np.int64))[None]
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(model(inputs).clamp_min(1e-6).log(), wanted).backward()
        optimizer.step()
    return model.eval()


def made_archive(folder: Path, job: dict[str, Any], *, steps: int) -> Path:
    """An archive with a validation config, a network, and what was exported of it."""
    load = {"name": "LoadNifti", "args": {"fields": "image"}}
    first = {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}}
    scale = {"name": "ScaleIntensityRange", "args": {"fields": "image", **SCALING}}
    back = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image"}}
    config = {
        "pre_transforms": [load, first, *job["pre"], scale],
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": job["window"], **job["inferer"]}},
        "post_transforms": [back, {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
        "val_metrics": [],
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}],
    }
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config_validation.json").write_text(json.dumps(config))
    (folder / "config" / "environment.json").write_text(json.dumps({"MMAR_CKPT_DIR": "models"}))
    name, args = job["model"]
    target = find("model", name)
    assert target is not None
    plan = ComponentPlan("model", name, name, target, {"num_classes": len(CLASSES), **args}, "train.model")
    card = model_card(plan, in_channels=1, class_names=CLASSES, config={}, epoch=1)
    save_weights(folder / "models" / "model", trained(job, plan, steps=steps), card=card)
    export(
        folder / "models" / "model", Wish(formats=["onnx"]), evaluation=lambda: plan_evaluation(folder, listed=False)
    )
    return folder


def sides(archive: Path, image: Path) -> dict[str, Callable[[], npt.NDArray[Any]]]:
    """The labels of an image, by each engine."""
    plan = plan_evaluation(archive, listed=False)
    item = items_of([image])[0]
    made: dict[str, Callable[[], npt.NDArray[Any]]] = {}
    for name, amp in (("torch, float32", False), ("torch, use_amp", True)):
        precision = choose_precision(CPU, amp=amp)
        options = InferenceOptions(device=CPU, precision=functools.partial(precision.autocast, CPU))
        assembly = assemble(plan, options)

        def predict(assembly: Any = assembly) -> npt.NDArray[Any]:
            sample = assembly.predicted(Sample(name=item.name, files=item.files))
            found: npt.NDArray[Any] = assembly.finished(sample)["model"].data.numpy()
            return found

        made[name] = predict
    session = open_plan(plan_for(plan), device="cpu")
    made["ONNX Runtime"] = lambda: session.finished(item)["model"].data
    return made


def measured(folder: Path, job: dict[str, Any], *, repeats: int, steps: int) -> dict[str, Any]:
    """Seconds of each engine, and how many of their labels are the same."""
    folder.mkdir()
    image, truth = made_ct(job["shape"], seed=7)
    affine = np.diag([-job["spacing"][0], -job["spacing"][1], job["spacing"][2], 1.0])
    nib.save(nib.Nifti1Image(image, affine), folder / "ct.nii.gz")
    engines = sides(made_archive(folder / "archive", job, steps=steps), folder / "ct.nii.gz")
    labels = {name: work() for name, work in engines.items()}
    seconds = in_turns(engines, repeats=repeats)
    wanted = labels["torch, float32"]
    return {
        "seconds": seconds,
        "ratio": seconds["torch, float32"] / seconds["ONNX Runtime"],
        "equal": float((labels["ONNX Runtime"] == wanted).mean()),
        "right": float((wanted[0] == truth).mean()),
        "voxels": int(wanted.size),
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    jobs = {"Unet, hippocampus": HIPPOCAMPUS, "SegResnet, CT": SMALL_CT if asked.quick else CT}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, job) in enumerate(jobs.items()):
            repeats = 1 if asked.quick else 5 if number == 0 else 2
            found[name] = measured(Path(folder) / str(number), job, repeats=repeats, steps=2 if asked.quick else 25)
            for engine, seconds in found[name]["seconds"].items():
                say(f"{name:>18}, {engine:>14}: {seconds:8.2f} s")
            say(f"{name:>18}: {found[name]['ratio']:.2f} times as fast, {found[name]['equal']:.6%} of voxels equal")
    ratio, equal = (min(one[key] for one in found.values()) for key in ("ratio", "equal"))
    say(f"{ratio:.2f} times as fast at least (goal: {GOAL:g})")
    report("onnx_engine", {"ratio": ratio, "goal": GOAL, "equal": equal, "networks": found}, keep=not asked.quick)


if __name__ == "__main__":
    main()
