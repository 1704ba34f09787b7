"""Every kind of network from config to prediction: trained for an epoch, saved, built from its card, evaluated."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import make_archive, make_data, read_config, write_config
from vesalia.api import Archive

CUSTOM = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(in_channels, width, 2, stride=2), nn.ReLU(), nn.ConvTranspose3d(width, out_channels, 2, stride=2)
        )

    def forward(self, image):
        return self.layers(image)


class Surprise:
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def __call__(self, probabilities, target):
        return -self.scale * probabilities.gather(1, target.long()).clamp_min(1e-6).log().mean()
"""
UNET = {
    "path": "monai.networks.nets.UNet",
    "args": {"in_channels": 1, "out_channels": 2, "spatial_dims": 3, "channels": [4, 8], "strides": [2]},
}
AUTOENCODER = {
    "name": "SegResnet",
    "args": {
        "num_classes": 2,
        "blocks_down": "1,1",
        "blocks_up": "1",
        "init_filters": 2,
        "use_vae": True,
        "reg_weight": 1e-5,
    },
}
AHNET = {
    "name": "SegAhnet",
    "args": {
        "num_classes": 2,
        "if_use_psp": False,
        "pretrain_weight_name": "{PRETRAIN_WEIGHTS_FILE}",
        "plane": "z",
        "final_activation": "softmax",
        "n_spatial_dim": 3,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("train", "crop"),
    [
        pytest.param({"model": AUTOENCODER}, 8, id="autoencoder"),
        pytest.param(
            {
                "model": UNET,
                "loss": {"path": "monai.losses.DiceCELoss", "args": {"softmax": True, "to_onehot_y": True}},
                "optimizer": {"path": "torch.optim.AdamW", "args": {"weight_decay": 0.01}},
            },
            8,
            id="library",
        ),
        pytest.param(
            {
                "model": {"path": "mine.Net", "args": {"out_channels": 2, "final_activation": "softmax"}},
                "loss": {"path": "mine.Surprise", "args": {"scale": 2}},
            },
            8,
            id="custom",
        ),
        pytest.param({"model": AHNET}, 32, id="ahnet"),
    ],
)
def test_a_network_trains_and_comes_back(tmp_path: Path, train: dict[str, Any], crop: int) -> None:
    root = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    config = read_config(root)
    config["train"].update(train)
    crops = [step for step in config["train"]["pre_transforms"] if "Crop" in step["name"]]
    crops[0]["args"]["size"] = [crop] * 3
    config["train"]["image_pipeline"]["args"]["output_crop_size"] = [crop] * 3
    write_config(root, config)
    (root / "custom").mkdir()
    (root / "custom" / "mine.py").write_text(CUSTOM)
    archive = Archive(root, allow_custom_code=True)
    trained = archive.train(overrides={"epochs": 1, "num_training_epoch_per_valid": 1}, seed=0)
    judged = archive.evaluate()
    assert trained.steps > 0
    assert all(0.0 <= summary.overall.mean <= 1.0 for summary in judged.metrics.values())
