"""What the public configs are put together from: components, pipelines and the chains that many of them share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BOTH",
    "Config",
    "PublicConfig",
    "component",
    "crop_fast",
    "crop_roi",
    "dice_metric",
    "merge",
    "pipeline",
    "refs",
    "standard_head",
    "window",
]

Config = dict[str, Any]

BOTH = ("image", "label")


@dataclass(frozen=True)
class PublicConfig:
    """A public config, rewritten from what is known of it.

    Attributes:
        name: Where it stands in its repository, without ``.json``.
        config: What is in it.
        data: Which of the tiny data sets it is tried on.
        environment: Its ``environment.json`` beyond what all archives have.
        overrides: What the script that comes with it gives after ``--set``, beside the data.
        custom: Files of its own code.
        code_folder: Where they lie.
        stands_in: Whether a narrow Unet trains in the place of its network, which another config's test trains.
        notes: Texts that warnings of a check must contain.
    """

    name: str
    config: Config
    data: str = "spleen"
    environment: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    custom: Mapping[str, str] = field(default_factory=dict)
    code_folder: str = "custom"
    stands_in: bool = False
    notes: tuple[str, ...] = ()


def component(name: str, /, **args: Any) -> Config:
    """``{"name": ..., "args": ...}``; without arguments, without ``args``."""
    return {"name": name, "args": args} if args else {"name": name}


def refs(*handles: str) -> list[Config]:
    """References to transforms of the training."""
    return [{"ref": handle} for handle in handles]


def standard_head(*, resolution: Sequence[float] = (1.0, 1.0, 1.0), a_min: int = -57, a_max: int = 164) -> list[Config]:
    """Load, channels first, resample image and label, one window of intensities."""
    return [
        component("LoadNifti", fields=list(BOTH)),
        component("ConvertToChannelsFirst", fields=list(BOTH)),
        component("ScaleByResolution#ScaleImg", fields="image", target_resolution=list(resolution)),
        component("ScaleByResolution#ScaleLb", fields="label", target_resolution=list(resolution), is_label=True),
        component("ScaleIntensityRange", fields="image", a_min=a_min, a_max=a_max, b_min=0.0, b_max=1.0, clip=True),
    ]


STANDARD_REFS = ("LoadNifti", "ConvertToChannelsFirst", "ScaleImg", "ScaleLb", "ScaleIntensityRange")


def crop_roi(size: int, **more: Any) -> Config:
    """The crop without a batch axis, with every switch written out and off."""
    return component(
        "FastPosNegRatioCropROI",
        size=[size] * 3,
        image_field="image",
        label_field="label",
        pos=1,
        neg=1,
        deform=False,
        rotation=False,
        rotation_degree=15,
        scale=False,
        scale_factor=0.1,
        **more,
    )


def crop_fast(size: int, batch_size: int, **more: Any) -> Config:
    """The batching crop; the label is cropped although only the image is in ``fields``."""
    return component(
        "FastCropByPosNegRatio",
        size=[size] * 3,
        fields="image",
        label_field="label",
        pos=1,
        neg=1,
        batch_size=batch_size,
        **more,
    )


def merge() -> list[Config]:
    """The batch transforms of the v3 form."""
    return [component("MergeBatchDims", fields=list(BOTH))]


def pipeline(
    key: str, size: int | Sequence[int], batch: int, *, name: str = "SegmentationImagePipeline", **more: Any
) -> Config:
    """An image pipeline on the data of the environment."""
    return component(
        name,
        data_list_file_path="{DATASET_JSON}",
        data_file_base_dir="{DATA_ROOT}",
        data_list_key=key,
        output_crop_size=[size] * 3 if isinstance(size, int) else list(size),
        output_batch_size=batch,
        **more,
    )


def window(size: int, **more: Any) -> Config:
    """The sliding window."""
    return component("TFScanWindowInferer", roi_size=[size] * 3, **more)


def dice_metric(name: str = "mean_dice", **more: Any) -> Config:
    """The metric that nearly all have."""
    return component("ComputeAverageDice", name=name, is_key_metric=True, field="model", label_field="label", **more)
