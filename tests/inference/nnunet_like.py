"""A network and a checkpoint with the layout that nnU-Net v2 writes, made without it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

__all__ = ["LikeNnunet", "configuration", "dataset", "older_configuration", "plans", "save"]

STAGES: dict[str, Any] = {
    "n_stages": 3,
    "features_per_stage": [4, 8, 8],
    "kernel_sizes": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
    "n_conv_per_stage": [2, 2, 1],
    "n_conv_per_stage_decoder": [2, 1],
}


class _ConvDropoutNormReLU(nn.Module):
    def __init__(self, before: int, width: int, kernel: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        padding = [(size - 1) // 2 for size in kernel]
        conv: Any = nn.Conv3d if len(kernel) == 3 else nn.Conv2d
        norm: Any = nn.InstanceNorm3d if len(kernel) == 3 else nn.InstanceNorm2d
        self.conv = conv(before, width, tuple(kernel), tuple(stride), tuple(padding))
        self.norm = norm(width, eps=1e-5, affine=True)
        self.nonlin = nn.LeakyReLU(inplace=True)
        self.all_modules = nn.Sequential(self.conv, self.norm, self.nonlin)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.all_modules(features)
        return result


class _Stacked(nn.Module):
    def __init__(self, count: int, before: int, width: int, kernel: Sequence[int], stride: Sequence[int]) -> None:
        super().__init__()
        unit = [1] * len(kernel)
        first = _ConvDropoutNormReLU(before, width, kernel, stride)
        self.convs = nn.Sequential(first, *(_ConvDropoutNormReLU(width, width, kernel, unit) for _ in range(count - 1)))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.convs(features)
        return result


class _Encoder(nn.Module):
    def __init__(self, in_channels: int, stages: dict[str, Any]) -> None:
        super().__init__()
        widths = [in_channels, *stages["features_per_stage"]]
        self.stages = nn.Sequential(
            *(
                nn.Sequential(
                    _Stacked(
                        stages["n_conv_per_stage"][index],
                        widths[index],
                        widths[index + 1],
                        stages["kernel_sizes"][index],
                        stages["strides"][index],
                    )
                )
                for index in range(stages["n_stages"])
            )
        )


class _Decoder(nn.Module):
    def __init__(self, encoder: _Encoder, classes: int, stages: dict[str, Any]) -> None:
        super().__init__()
        self.encoder = encoder
        widths, count = stages["features_per_stage"], stages["n_stages"]
        dims = len(stages["strides"][0])
        rise: Any = nn.ConvTranspose3d if dims == 3 else nn.ConvTranspose2d
        conv: Any = nn.Conv3d if dims == 3 else nn.Conv2d
        self.stages, self.transpconvs, self.seg_layers = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for step in range(1, count):
            below, skip = widths[-step], widths[-(step + 1)]
            stride = tuple(stages["strides"][-step])
            self.transpconvs.append(rise(below, skip, stride, stride))
            kernel = stages["kernel_sizes"][-(step + 1)]
            convs = stages["n_conv_per_stage_decoder"][step - 1]
            self.stages.append(_Stacked(convs, 2 * skip, skip, kernel, [1] * dims))
            self.seg_layers.append(conv(skip, classes, 1))


class LikeNnunet(nn.Module):
    """A plain U-Net whose tensors are called, and doubled, as nnU-Net's are; gives logits."""

    def __init__(self, in_channels: int, classes: int, stages: dict[str, Any] | None = None) -> None:
        super().__init__()
        stages = stages or STAGES
        self.encoder = _Encoder(in_channels, stages)
        self.decoder = _Decoder(self.encoder, classes, stages)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, C, z, y, x]`` to logits."""
        skips = []
        features = image
        for stage in self.encoder.stages:
            features = stage(features)
            skips.append(features)
        for step, (rise, stage) in enumerate(zip(self.decoder.transpconvs, self.decoder.stages, strict=True)):
            features = stage(torch.cat((rise(features), skips[-(step + 2)]), 1))
        result: torch.Tensor = self.decoder.seg_layers[-1](features)
        return result


def configuration(stages: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A configuration as plans have it since v2.5."""
    stages = stages or STAGES
    dims = len(stages["strides"][0])
    kwargs = {
        **stages,
        "conv_op": f"torch.nn.modules.conv.Conv{dims}d",
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dims}d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
        **changes,
    }
    name = kwargs.pop("network_class_name", "dynamic_network_architectures.architectures.unet.PlainConvUNet")
    return {
        "spacing": [3.0, 0.7, 0.8][-dims:],
        "patch_size": [16, 24, 32][-dims:],
        "normalization_schemes": ["CTNormalization"],
        "architecture": {"network_class_name": name, "arch_kwargs": kwargs, "_kw_requires_import": ["conv_op"]},
    }


def older_configuration() -> dict[str, Any]:
    """The same network in the words of plans before v2.5."""
    return {
        "spacing": [3.0, 0.7, 0.8],
        "patch_size": [16, 24, 32],
        "normalization_schemes": ["CTNormalization"],
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 4,
        "unet_max_num_features": 8,
        "n_conv_per_stage_encoder": [2, 2, 1],
        "n_conv_per_stage_decoder": [2, 1],
        "pool_op_kernel_sizes": STAGES["strides"],
        "conv_kernel_sizes": STAGES["kernel_sizes"],
    }


def plans(configured: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Plans with one configuration."""
    configurations = {"3d_fullres": configured or configuration()}
    return {"dataset_name": "Dataset004", "transpose_forward": [0, 1, 2], "configurations": configurations, **changes}


def dataset(**changes: Any) -> dict[str, Any]:
    """``dataset.json``."""
    labels = {"background": 0, "anterior": 1, "posterior": 2}
    return {"channel_names": {"0": "MRI"}, "labels": labels, "numTraining": 1, "file_ending": ".nii.gz", **changes}


def save(
    folder: Path,
    network: nn.Module,
    *,
    planned: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    inside: bool = True,
) -> Path:
    """Write a fold as nnU-Net does; the plans in the checkpoint as well, unless not ``inside``."""
    planned, data = planned or plans(), data or dataset()
    fold = folder / "nnUNetTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    fold.mkdir(parents=True, exist_ok=True)
    (fold.parent / "plans.json").write_text(json.dumps(planned))
    (fold.parent / "dataset.json").write_text(json.dumps(data))
    arguments = {"plans": planned, "configuration": "3d_fullres", "fold": 0, "dataset_json": data}
    checkpoint = {
        "network_weights": network.state_dict(),
        "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01, "momentum": 0.99}]},
        "grad_scaler_state": None,
        "logging": {"mean_fg_dice": [np.float64(0.5)], "train_losses": [np.float32(0.25)], "epochs": [np.int64(3)]},
        "_best_ema": np.float64(0.75),
        "current_epoch": 1000,
        "init_args": {**arguments, "device": torch.device("cpu")} if inside else {},
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, fold / "checkpoint_final.pth")
    return fold / "checkpoint_final.pth"
