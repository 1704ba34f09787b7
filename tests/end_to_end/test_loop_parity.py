"""A whole training from its config against forty lines of plain PyTorch: the same weights after 20 steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_archive import read_config, write_config
from vesalia.api import Archive
from vesalia.inference.weights import load_weights

pytestmark = pytest.mark.slow

EPOCHS = 10
RATE = 1e-3


def prepare(archive: Path, **pipeline: Any) -> None:
    """Nothing random in the chain: whole volumes, two of four a step, in the list's order."""
    config = read_config(archive)
    config.update(epochs=EPOCHS, num_training_epoch_per_valid=EPOCHS, learning_rate=RATE)
    train = config["train"]
    train["model"]["args"]["dropout_prob"] = 0.0
    train["pre_transforms"] = train["pre_transforms"][:3]
    train["image_pipeline"]["args"].update(output_batch_size=2, shuffle=False, **pipeline)
    write_config(archive, config)


def voxels(path: Path) -> torch.Tensor:
    """What nibabel reads."""
    file: Any = nib.load(path)
    return torch.from_numpy(np.asarray(file.dataobj))


def by_hand(archive: Path, dataset: Path, first: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What anybody would write: load, scale, softmax Dice, Adam, a polynomial decay."""
    items = json.loads(dataset.read_text())["training"]
    pairs = [[voxels(dataset.parent / item[name]) for name in ("image", "label")] for item in items]
    model = load_weights(archive / "models" / "model_final").model
    model.load_state_dict(first)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = EPOCHS * len(items) // 2
    for step in range(steps):
        chosen = [pairs[(2 * step + place) % len(items)] for place in range(2)]
        image = torch.stack([image for image, _ in chosen])[:, None].float()
        image = ((image + 50) / 200).clamp(0, 1)
        label = torch.stack([label for _, label in chosen]).long()
        truth = torch.nn.functional.one_hot(label, 2).movedim(-1, 1).float()
        probabilities = model(image)
        axes = (2, 3, 4)
        overlap = 2 * (probabilities * truth).sum(axes)
        dice = overlap / (probabilities.sum(axes) + truth.sum(axes) + 1e-5)
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps) ** 0.9
        optimizer.zero_grad()
        (1 - dice).mean().backward()  # type: ignore[no-untyped-call,unused-ignore]
        optimizer.step()
    assert steps == 20
    return model.state_dict()


def test_the_same_weights_as_by_hand(archive: Path, balls: Path) -> None:
    prepare(archive)
    Archive(archive).train(seed=1, device="cpu", overrides={"learning_rate": 1e-30, "epochs": 1})
    first = load_file(archive / "models" / "model_final.safetensors")  # as good as untrained
    Archive(archive).train(seed=1, device="cpu")
    trained = load_file(archive / "models" / "model_final.safetensors")
    for name, wanted in by_hand(archive, balls, first).items():
        torch.testing.assert_close(trained[name], wanted, rtol=1e-4, atol=1e-5)
    assert any(not torch.allclose(trained[name], first[name], atol=1e-3) for name in first)


@pytest.mark.parametrize("cached", [False, True])
def test_the_number_of_workers_changes_no_bit(archive: Path, cached: bool) -> None:
    found = []
    for workers, prefetch in ((0, 0), (1, 1), (4, 7)):
        config = read_config(archive)
        pipeline = config["train"]["image_pipeline"]
        pipeline["args"].update(num_workers=workers, prefetch_size=prefetch)
        if cached:
            pipeline["name"] = "SegmentationImagePipelineWithCache"
            pipeline["args"].update(num_cache_objects=3, replace_percent=0.34)
        write_config(archive, config)
        Archive(archive).train(seed=3, device="cpu")
        found.append((archive / "models" / "model_final.safetensors").read_bytes())
    assert load_file(archive / "models" / "model_final.safetensors")
    tensors = [content[8 + int.from_bytes(content[:8], "little") :] for content in found]
    assert tensors[0] == tensors[1] == tensors[2]
