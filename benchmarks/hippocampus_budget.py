"""Mean Dice on MSD Task04 after the same wall-clock time: a plain MONAI twin and Vesalia, side by side.

The twin is what a careful MONAI user writes first: UNet on full volumes padded to one size, Dice + cross-entropy,
flips, intensity scale and shift, Adam with a cosine schedule laid over the time, everything cached. Each side runs in
a process of its own, one after the other, and its time counts from the start of that process. Both are judged by the
model they end with (``vesalia_best_dice`` is that of the best of its validations).

    python benchmarks/hippocampus_budget.py DATA_FOLDER [--budget 300] [--only twin|vesalia]

The last line is one JSON object: ``ratio`` is the twin's remaining error (1 - Dice) over Vesalia's; above 1 Vesalia
is better.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from vesalia.runtime import machine
from vesalia.runtime.files import write_json

ROOT = Path(__file__).resolve().parents[1]
PADDED = (48, 64, 48)
MARGIN_S = 8.0


def twin(data: Path, budget_s: float) -> dict[str, float]:
    """Train the MONAI twin for ``budget_s`` seconds from process start; mean foreground Dice on ``validation``."""
    import torch
    from monai.data.dataloader import DataLoader
    from monai.data.dataset import CacheDataset
    from monai.losses.dice import DiceCELoss
    from monai.metrics.meandice import DiceMetric
    from monai.networks.nets.unet import UNet
    from monai.transforms.compose import Compose
    from monai.transforms.croppad.dictionary import SpatialPadd
    from monai.transforms.intensity.dictionary import NormalizeIntensityd, RandScaleIntensityd, RandShiftIntensityd
    from monai.transforms.io.dictionary import LoadImaged
    from monai.transforms.post.array import AsDiscrete
    from monai.transforms.spatial.dictionary import RandFlipd
    from monai.transforms.utility.dictionary import EnsureChannelFirstd
    from monai.utils.misc import set_determinism

    began = psutil.Process().create_time()
    set_determinism(0)
    listed = json.loads((data / "dataset.json").read_text())
    entries = {
        key: [{name: str(data / entry[name]) for name in ("image", "label")} for entry in listed[key]]
        for key in ("training", "validation")
    }
    both = ["image", "label"]
    load = [
        LoadImaged(both),
        EnsureChannelFirstd(both),
        NormalizeIntensityd("image", nonzero=True),
        SpatialPadd(both, PADDED),
    ]
    change = [
        *(RandFlipd(both, prob=0.5, spatial_axis=axis) for axis in range(3)),
        RandScaleIntensityd("image", factors=0.2, prob=1.0),
        RandShiftIntensityd("image", offsets=0.2, prob=1.0),
    ]
    train = CacheDataset(entries["training"], Compose([*load, *change]), progress=False)
    valid = CacheDataset(entries["validation"], Compose(load), progress=False)
    batches = DataLoader(train, batch_size=4, shuffle=True)
    model = UNet(3, 1, 3, (16, 32, 64, 128), (2, 2, 2), num_res_units=2)
    loss = DiceCELoss(to_onehot_y=True, softmax=True)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    start, end = time.time(), began + budget_s - MARGIN_S
    epochs = 0
    while time.time() < end:
        epochs += 1
        for batch in batches:
            fraction = min(1.0, (time.time() - start) / (end - start))
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * fraction))
            optimizer.zero_grad()
            loss(model(batch["image"]), batch["label"]).backward()
            optimizer.step()
            if fraction >= 1.0:
                break
    metric = DiceMetric(include_background=False, ignore_empty=True)
    to_prediction, to_label = AsDiscrete(argmax=True, to_onehot=3), AsDiscrete(to_onehot=3)
    model.eval()
    with torch.no_grad():
        for item in map(valid.__getitem__, range(len(valid))):
            predicted = to_prediction(model(item["image"][None])[0])
            metric([torch.as_tensor(predicted)], [torch.as_tensor(to_label(item["label"]))])
    mean = metric.aggregate()
    assert isinstance(mean, torch.Tensor)
    dice = float(mean)
    sys.stderr.write(f"twin: {epochs} epochs, Dice {dice:.4f}, {time.time() - began:.0f} s\n")
    return {"twin_dice": dice, "twin_seconds": time.time() - began}


def ours(data: Path, budget_s: float) -> dict[str, float]:
    """Run ``vesalia train`` on the example archive with ``--budget``; Dice of its last and of its best model."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vesalia", "train", str(ROOT / "examples" / "hippocampus")]
        command += ["--budget", f"{budget_s:.0f}s", "--json", "--seed", "0"]
        command += ["--set", f"DATA_ROOT={data}", f"DATASET_JSON={data / 'dataset.json'}", f"MMAR_CKPT_DIR={folder}"]
        began = time.time()
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.time() - began
        lines = map(json.loads, (Path(folder) / "history.jsonl").read_text().splitlines())
        last = [line["metrics"]["mean_dice"] for line in lines if line["kind"] == "validation"][-1]
    best = json.loads(answer.stdout.splitlines()[-1])["best_metric"]
    return {"vesalia_dice": last, "vesalia_best_dice": best, "vesalia_seconds": seconds}


def main() -> None:
    """Run both sides, print both, write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--budget", type=float, default=300.0)
    parser.add_argument("--only", choices=["twin", "vesalia"])
    given = parser.parse_args()
    data = given.data.resolve()
    if given.only == "twin":
        sys.stdout.write(json.dumps(twin(data, given.budget)) + "\n")
        return
    scores: dict[str, float] = {}
    if given.only is None:
        command = [sys.executable, __file__, str(data), "--budget", str(given.budget), "--only", "twin"]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        scores |= json.loads(answer.stdout.splitlines()[-1])
    scores |= ours(data, given.budget)
    if "twin_dice" in scores:
        scores["ratio"] = (1 - scores["twin_dice"]) / (1 - scores["vesalia_dice"])
        facts = {"machine": machine.describe(), "versions": machine.versions(), "date": time.strftime("%Y-%m-%d")}
        result = {**scores, "budget_s": given.budget, **facts}
        write_json(ROOT / "benchmarks" / "results" / "hippocampus_budget.json", result)
    sys.stdout.write(json.dumps(scores) + "\n")


if __name__ == "__main__":
    main()
