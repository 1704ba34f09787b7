"""Subjects from file to labels: the ONNX engine without torch against torch eager, on the processor, in turns.

Two networks, each trained for a moment, so that its classes are decided. The Unet of examples/hippocampus is trained
on cases of MSD Task04 (`training` of its dataset.json) and judged on ten others (`validation`), all voxels together;
without --data these are made images of that size. SegResnet is judged on a made CT of 256 x 256 x 256 voxels that is
resampled to 1.5 mm and back.

All sides do what `vesalia infer` does, up to the writing: torch in float32 (use_amp=false), the same with its
parameters laid out as torch lays them (`torch, plain`; Vesalia puts channels side by side, which is faster), and in
bfloat16 where use_amp would; the ONNX engine in OpenVINO, which `--device auto` takes where it is installed (the extra
`openvino`), and in ONNX Runtime alone (`--device cpu`). All have as many threads. `ratio` is torch in float32 to
OpenVINO, files read included, the smaller one of both sets; `seconds` are its two figures; `ratio_onnx_runtime` is the
same for ONNX Runtime. `equal` is the smallest share of voxels with the same label. It ends with an error where a goal
is missed.

    python benchmarks/onnx_engine.py [--data FOLDER_OF_TASK04] [--quick]
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
from vesalia.deploy.runner.volume import Sample as Read
from vesalia.imaging.volume import Sample
from vesalia.inference.assemble import Assembly, InferenceOptions, assemble
from vesalia.inference.card import model_card
from vesalia.inference.weights import save_weights
from vesalia.mmar.build import build
from vesalia.mmar.plan import ComponentPlan
from vesalia.mmar.validate import plan_evaluation
from vesalia.pipelines.datalist import items_of
from vesalia.registry.registry import find
from vesalia.runtime.machine import usable_cores
from vesalia.runtime.precision import choose_precision

GOAL = 1.5
GOAL_EQUAL = 0.9999
LARGEST_CROP = 64
CASES = 10
BATCH = 2
CPU = torch.device("cpu")
TORCH, PLAIN, ONNX, OPENVINO = "torch, float32", "torch, plain", "ONNX Runtime", "OpenVINO"
# Air keeps its noise: in windows that are all the same, normalising layers blow up rounding, and nobody is right.
RANGE: dict[str, Any] = {
    "name": "ScaleIntensityRange",
    "args": {"fields": "image", "a_min": -1000, "a_max": 400, "b_min": -1.0},
}
RANGE["args"] |= {"b_max": 1.0, "clip": True}
HIPPOCAMPUS: dict[str, Any] = {
    "model": ("Unet", {"nf_enc": [16, 32, 32, 32], "nf_dec": [32, 32, 32, 32, 32, 16, 16], "use_group_norm": True}),
    "classes": ("background", "Anterior", "Posterior"),
    "shape": (36, 50, 36),
    "seen": (36, 50, 36),
    "spacing": (1.0, 1.0, 1.0),
    "window": [32, 48, 32],
    "inferer": {"batch_size": 4, "overlap": 0.5, "mode": "gaussian"},
    "pre": [{"name": "NormalizeNonzeroIntensities", "args": {"fields": "image"}}],
    "steps": 300,
    "cases": CASES,
}
CT: dict[str, Any] = {
    "model": ("SegResnet", {"init_filters": 8}),
    "shape": (256, 256, 256),
    "seen": (137, 137, 256),  # voxels of 1.5 mm, as it is resampled
    "spacing": (0.8, 0.8, 1.5),
    "window": [64, 64, 64],
    "inferer": {"batch_size": 1, "overlap": 0.25},
    "pre": [{"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [1.5, 1.5, 1.5]}}, RANGE],
    "classes": ("background", "body", "organ"),
    "steps": 100,
    "cases": 1,
}
SMALL_CT: dict[str, Any] = {**CT, "shape": (48, 40, 32), "seen": (26, 21, 32), "window": [32, 32, 32]}
Pair = tuple[Path, Path]
Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def made_ct(shape: tuple[int, ...], *, seed: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """A body in air with an organ in it, all of it noisy."""
    axes = np.meshgrid(*[np.linspace(-1, 1, size, dtype=np.float32) for size in shape], indexing="ij")
    radius = np.sqrt(sum(axis**2 for axis in axes))
    organ = np.sqrt(sum((axis - 0.2) ** 2 for axis in axes)) + 0.05 * np.sin(9 * axes[0]) * np.cos(7 * axes[1])
    label = np.where(organ < 0.35, 2, radius < 0.9).astype(np.uint8)
    values = np.array([-900, 20, 140], dtype=np.float32)[label]
    return (values + np.random.default_rng(seed).normal(0, 40, shape)).astype(np.int16), label


def made_files(folder: Path, job: dict[str, Any], *, count: int, first: int) -> list[Pair]:
    """Images and labels on disk."""
    affine = np.diag([-job["spacing"][0], -job["spacing"][1], job["spacing"][2], 1.0])
    pairs = []
    for seed in range(first, first + count):
        pair = (folder / f"image_{seed}.nii.gz", folder / f"label_{seed}.nii.gz")
        for path, values in zip(pair, made_ct(job["shape"], seed=seed), strict=True):
            nib.save(nib.Nifti1Image(values, affine), path)
        pairs.append(pair)
    return pairs


def listed_files(data: Path, key: str, *, count: int) -> list[Pair]:
    """Images and labels of Task04."""
    entries = json.loads((data / "dataset.json").read_text())[key][:count]
    return [(data / entry["image"], data / entry["label"]) for entry in entries]


def prepared(pair: Pair, job: dict[str, Any]) -> Arrays:
    """An image as the network sees it on its own grid, and its label."""
    image, label = (np.asarray(nib.Nifti1Image.from_filename(path).dataobj, dtype=np.float32) for path in pair)
    if RANGE in job["pre"]:
        return np.clip((image + 1000.0) / 1400.0 * 2 - 1, -1, 1).astype(np.float32), label.astype(np.int64)
    inside = image[image != 0]
    return np.where(image != 0, (image - inside.mean()) / inside.std(), 0).astype(np.float32), label.astype(np.int64)


def crop(arrays: Arrays, window: tuple[int, ...], random: np.random.Generator) -> Arrays:
    """A window around a voxel of any class, each as often; padded where the image is smaller."""
    image, label = arrays
    missing = [(0, max(0, edge - size)) for edge, size in zip(window, image.shape, strict=True)]
    image, label = np.pad(image, missing), np.pad(label, missing)
    voxels = np.flatnonzero(label == random.choice(np.unique(label)))
    centre = np.unravel_index(random.choice(voxels), label.shape)
    sides = zip(centre, window, image.shape, strict=True)
    starts = [int(np.clip(place - edge // 2, 0, size - edge)) for place, edge, size in sides]
    place = tuple(slice(start, start + edge) for start, edge in zip(starts, window, strict=True))
    return image[place], label[place]


def trained(job: dict[str, Any], plan: ComponentPlan, pairs: list[Pair], *, steps: int) -> torch.nn.Module:
    """The network after some steps on crops."""
    torch.manual_seed(0)
    random, model = np.random.default_rng(0), build(plan, in_channels=1)
    cases = [prepared(pair, job) for pair in pairs]
    window = tuple(min(edge, LARGEST_CROP) for edge in job["window"])
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        crops = [crop(cases[random.integers(len(cases))], window, random) for _ in range(BATCH)]
        images, labels = (torch.from_numpy(np.stack(parts)) for parts in zip(*crops, strict=True))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model.logits(images[:, None]), labels).backward()
        optimizer.step()
        schedule.step()
    result: torch.nn.Module = model.eval()
    return result


def made_archive(folder: Path, job: dict[str, Any], pairs: list[Pair], *, steps: int) -> Path:
    """An archive with a validation config, a network, and what was exported of it."""
    load = {"name": "LoadNifti", "args": {"fields": "image"}}
    first = {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}}
    back = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image"}}
    config = {
        "pre_transforms": [load, first, *job["pre"]],
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
    plan = ComponentPlan("model", name, name, target, {"num_classes": len(job["classes"]), **args}, "train.model")
    card = model_card(plan, in_channels=1, class_names=job["classes"], config={}, epoch=1)
    save_weights(folder / "models" / "model", trained(job, plan, pairs, steps=steps), card=card)
    export(
        folder / "models" / "model", Wish(formats=["onnx"]), evaluation=lambda: plan_evaluation(folder, listed=False)
    )
    return folder


def sides(archive: Path, images: list[Path]) -> dict[str, Callable[[], list[npt.NDArray[Any]]]]:
    """The labels of images, by each engine."""
    plan, items = plan_evaluation(archive, listed=False), items_of(images)
    made: dict[str, Callable[[], list[npt.NDArray[Any]]]] = {}
    for name, amp in ((TORCH, False), (PLAIN, False), ("torch, use_amp", True)):
        precision = choose_precision(CPU, amp=amp)
        options = InferenceOptions(device=CPU, precision=functools.partial(precision.autocast, CPU))

        assembly = assemble(plan, options)
        if name == PLAIN:
            layout: Any = {"memory_format": torch.contiguous_format}
            assembly.predictor.model.to(**layout)

        def predict(assembly: Assembly = assembly) -> list[npt.NDArray[Any]]:
            samples = (assembly.through(Sample(name=item.name, files=item.files))[1] for item in items)
            return [sample["model"].data.numpy() for sample in samples]

        made[name] = predict
    for name, device in ((ONNX, "cpu"), (OPENVINO, "openvino")):
        session = open_plan(plan_for(plan), device=device)
        made[name] = functools.partial(lambda of: [of.finished(item)["model"].data for item in items], session)
    return made


def reading(archive: Path, images: list[Path]) -> Callable[[], None]:
    """What happens before the network, as the runner does it."""
    plan, items = plan_for(plan_evaluation(archive, listed=False)), items_of(images)

    def read() -> None:
        for item in items:
            sample = Read(name=item.name, files=item.files)
            for step in plan.pre:
                sample = step(sample)

    return read


def measured(folder: Path, job: dict[str, Any], data: Path | None, *, repeats: int, quick: bool) -> dict[str, Any]:
    """Seconds of each engine, and how many of their labels are the same."""
    folder.mkdir()
    cases = 2 if quick and job["cases"] > 1 else job["cases"]
    if data is None:
        seen = made_files(folder, {**job, "shape": job["seen"]}, count=2, first=1)
        asked = made_files(folder, job, count=cases, first=7)
    else:
        seen, asked = (listed_files(data, "training", count=40), listed_files(data, "validation", count=cases))
    archive = made_archive(folder / "archive", job, seen, steps=2 if quick else job["steps"])
    images = [image for image, _ in asked]
    engines = sides(archive, images)
    labels = {name: np.concatenate([one.ravel() for one in work()]) for name, work in engines.items()}
    truth = np.concatenate([np.asarray(nib.Nifti1Image.from_filename(path).dataobj).ravel() for _, path in asked])
    seconds = in_turns({**engines, "reading": reading(archive, images)}, repeats=repeats)
    wanted, read = labels[TORCH], seconds["reading"]
    return {
        "images": len(images),
        "made": data is None,
        "voxels": int(wanted.size),
        "seconds": seconds,
        "ratio": seconds[TORCH] / seconds[OPENVINO],
        "ratio_onnx_runtime": seconds[TORCH] / seconds[ONNX],
        "ratio_to_plain": seconds[PLAIN] / seconds[OPENVINO],
        "ratio_without_reading": (seconds[TORCH] - read) / max(seconds[OPENVINO] - read, 1e-9),
        "different": {name: int((labels[name] != wanted).sum()) for name in (ONNX, OPENVINO)},
        "equal": min(float((labels[name] == wanted).mean()) for name in (ONNX, OPENVINO)),
        "dice": dice(wanted, truth, classes=len(job["classes"])),
    }


def dice(found: npt.NDArray[Any], truth: npt.NDArray[Any], *, classes: int) -> list[float]:
    """Of each class but the background, all images together: that the network has learnt something."""
    both = [((found == one) & (truth == one)).sum() for one in range(1, classes)]
    sizes = [max(1, (found == one).sum() + (truth == one).sum()) for one in range(1, classes)]
    return [round(2 * float(same) / float(size), 4) for same, size in zip(both, sizes, strict=True)]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of MSD Task04; made images where it is not given")
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    torch.set_num_threads(usable_cores())
    jobs = {"Unet, hippocampus": (HIPPOCAMPUS, asked.data), "SegResnet, CT": (SMALL_CT if asked.quick else CT, None)}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (job, data)) in enumerate(jobs.items()):
            repeats = 1 if asked.quick else 5 if number == 0 else 2
            found[name] = measured(Path(folder) / str(number), job, data, repeats=repeats, quick=asked.quick)
            tell(name, found[name])
    slowest = min(found.values(), key=lambda one: one["ratio"])
    equal = min(one["equal"] for one in found.values())
    goals = {"equal_at_least_0.9999": equal >= GOAL_EQUAL, "ratio_at_least_1.5": slowest["ratio"] >= GOAL}
    seconds = {name: slowest["seconds"][name] for name in (TORCH, OPENVINO)}
    runtime = min(one["ratio_onnx_runtime"] for one in found.values())
    result = {"ratio": slowest["ratio"], "ratio_onnx_runtime": runtime, "goal": GOAL, "equal": equal}
    result |= {"seconds": seconds, "threads": usable_cores()}
    report("onnx_engine", {**result, "goals": goals, "sets": found}, keep=not asked.quick)
    if not asked.quick and not all(goals.values()):
        raise SystemExit(f"missed: {', '.join(goal for goal, met in goals.items() if not met)}")


def tell(name: str, found: dict[str, Any]) -> None:
    """The figures of a set in lines."""
    for engine, seconds in found["seconds"].items():
        say(f"{name:>18}, {engine:>14}: {seconds:8.2f} s for {found['images']} images")
    say(f"{name:>18}: {found['ratio']:.2f} times as fast ({found['ratio_to_plain']:.2f} to plain)")
    say(f"{name:>18}: {found['ratio_onnx_runtime']:.2f} times as fast with ONNX Runtime alone")
    say(f"{name:>18}: {found['equal']:.6%} of {found['voxels']} voxels equal; Dice {found['dice']}")


if __name__ == "__main__":
    main()
