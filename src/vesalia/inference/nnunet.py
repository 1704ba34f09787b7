"""Checkpoints of nnU-Net v2: the network its plans describe, and its weights under our names and on our axes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vesalia.errors import CheckpointError, ConfigError
from vesalia.inference.foreign import read_pickled, weights_in
from vesalia.runtime.jsonfile import read_json

__all__ = ["NnunetModel", "is_nnunet", "read_nnunet"]

_NETWORK = "PlainConvUNet"
_NAMES = (
    (re.compile(r"encoder\.stages\.(\d+)\.0\.convs\.(\d+)\.(conv|norm)\.(\w+)"), r"encoder.\1.\2.\3.\4"),
    (re.compile(r"decoder\.stages\.(\d+)\.convs\.(\d+)\.(conv|norm)\.(\w+)"), r"decoder.\1.\2.\3.\4"),
    (re.compile(r"decoder\.transpconvs\.(\d+)\.(\w+)"), r"rises.\1.\2"),
    (re.compile(r"decoder\.seg_layers\.(\d+)\.(\w+)"), r"heads.\1.\2"),
)
"""nnU-Net's names of weights and ours; what is not among them is there a second time under another name."""
_PREFIX = re.compile(r"^(module\.|_orig_mod\.)+")
_EXPECTED = {
    "norm_op": ("InstanceNorm3d", "InstanceNorm2d"),
    "nonlin": ("LeakyReLU",),
    "conv_op": ("Conv3d", "Conv2d"),
}
_CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")


@dataclass(frozen=True, slots=True)
class NnunetModel:
    """A network of nnU-Net as one of ours.

    Attributes:
        file: The checkpoint.
        args: Arguments of :class:`~vesalia.components.models.plain_conv_unet.PlainConvUnet`.
        in_channels: Channels of its input.
        class_names: A name per channel of its output.
        tensors: Its weights by our names.
        notes: What the user should know.
        preprocessing: What nnU-Net did to images: spacing in mm and patch size (both by our axes), normalisation.
    """

    file: Path
    args: dict[str, Any]
    in_channels: int
    class_names: tuple[str, ...]
    tensors: dict[str, torch.Tensor]
    notes: tuple[str, ...]
    preprocessing: dict[str, Any]


def is_nnunet(source: Path) -> bool:
    """Whether ``source`` is a folder of nnU-Net's results, or lies in one, or is called as its checkpoints are."""
    if source.is_dir():
        return (source / "plans.json").is_file() or _checkpoint_in(source) is not None
    return source.name.startswith("checkpoint_") and source.suffix == ".pth"


def read_nnunet(source: Path) -> NnunetModel:
    """Read a checkpoint of nnU-Net v2.

    Our arrays run along x, y, z where nnU-Net's run along z, y, x (and by ``transpose_forward``): the kernels are
    turned accordingly, so the network gives the same for the same image.

    Args:
        source: The checkpoint, the folder of a fold, or that of all folds.

    Raises:
        CheckpointError: It cannot be read safely, or its network is not a plain U-Net.
    """
    file = _checkpoint_in(source) if source.is_dir() else source
    if file is None:
        wanted = " or ".join(_CHECKPOINTS)
        raise CheckpointError(f"{source}: found no {wanted}, nor folders fold_0 to fold_4, expected a fold of nnU-Net")
    content = read_pickled(file)
    init = content.get("init_args") if isinstance(content, Mapping) else None
    init = init if isinstance(init, Mapping) else {}
    plans = _known(init, "plans", file, "plans.json")
    dataset = _known(init, "dataset_json", file, "dataset.json")
    chosen = str(init.get("configuration") or _configuration_of(file))
    configuration = _configuration(plans, chosen, file)
    args = _arguments(configuration, file)
    dims = len(args["kernel_sizes"][0])
    order = _axes(plans, dims)
    weights = _renamed(weights_in(content, file))
    tensors = {key: _turned(tensor, order) for key, tensor in weights.items()}
    heads = [key for key in tensors if re.fullmatch(r"heads\.\d+\.weight", key)]
    if not heads or "encoder.0.0.conv.weight" not in tensors:
        raise CheckpointError(f"{file}: found weights that are not of {_NETWORK}, expected those of its plans")
    classes = tensors[heads[0]].shape[0]
    regions, names = _class_names(dataset, classes)
    for sizes in ("kernel_sizes", "strides"):
        args[sizes] = [[stage[axis] for axis in order] for stage in args[sizes]]
    args |= {"num_classes": classes, "data_dims": dims, "use_deep_supervision": len(heads) > 1}
    args |= {"final_activation": "sigmoid"} if regions else {}
    return NnunetModel(
        file,
        args,
        in_channels=tensors["encoder.0.0.conv.weight"].shape[1],
        class_names=names,
        tensors=tensors,
        notes=_notes(source, file, plans, dims),
        preprocessing=_preprocessing(configuration, order),
    )


def _checkpoint_in(folder: Path) -> Path | None:
    places = [folder, *sorted(folder.glob("fold_*"))]
    files = (place / name for name in _CHECKPOINTS for place in places)
    return next((file for file in files if file.is_file()), None)


def _known(init: Mapping[str, Any], key: str, file: Path, name: str) -> Mapping[str, Any]:
    """What a checkpoint says of itself, or else the file in a folder above it."""
    if isinstance(init.get(key), Mapping):
        found: Mapping[str, Any] = init[key]
        return found
    above = next((folder / name for folder in list(file.parents)[:2] if (folder / name).is_file()), None)
    try:
        content = read_json(above) if above else None
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    if not isinstance(content, dict):
        message = (
            f"{file}: found no {name} in it nor in the folders above, expected nnU-Net's; copy it beside the folds"
        )
        raise CheckpointError(message)
    return content


def _configuration_of(file: Path) -> str:
    """nnU-Net calls the folder of all folds ``trainer__plans__configuration``."""
    parts = next((folder.name.split("__") for folder in file.parents if folder.name.count("__") == 2), ["3d_fullres"])
    return parts[-1]


def _configuration(plans: Mapping[str, Any], name: str, file: Path) -> dict[str, Any]:
    configurations = plans.get("configurations")
    known = configurations if isinstance(configurations, Mapping) else {}
    if not isinstance(known.get(name), Mapping):
        message = f"{file}: found plans without the configuration {name}, expected one of {', '.join(known) or 'some'}"
        raise CheckpointError(message)
    own = dict(known[name])
    parent = own.pop("inherits_from", None)
    if not isinstance(parent, str):
        return own
    if parent == name or parent not in known:
        raise CheckpointError(f"{file}: found plans where {name} inherits from {parent}, expected another one of them")
    rest = {**plans, "configurations": {key: value for key, value in known.items() if key != name}}
    return {**_configuration(rest, parent, file), **own}


def _arguments(configuration: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The network's stages, from either way in which plans have written them."""
    try:
        if "architecture" in configuration:
            return _of_architecture(configuration["architecture"], file)
        return _of_older_plans(configuration, file)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        message = f"{file}: found plans whose network cannot be read ({type(error).__name__}: {error}), expected those "
        raise CheckpointError(message + "of nnU-Net v2") from error


def _of_architecture(architecture: Mapping[str, Any], file: Path) -> dict[str, Any]:
    _require_plain(str(architecture["network_class_name"]), file)
    given = architecture["arch_kwargs"]
    for key, expected in _EXPECTED.items():
        if str(given[key]).rpartition(".")[2] not in expected:
            raise CheckpointError(
                f"{file}: found {key} {given[key]}, expected {expected[0]}; other networks are not read"
            )
    if not given.get("conv_bias", True):
        raise CheckpointError(
            f"{file}: found convolutions without bias, expected nnU-Net's; other networks are not read"
        )
    stages = int(given["n_stages"])
    features = given["features_per_stage"]
    dims = 3 if str(given["conv_op"]).endswith("3d") else 2
    return {
        "features_per_stage": [int(width) for width in features],
        "kernel_sizes": _sizes(given["kernel_sizes"], stages, dims),
        "strides": _sizes(given["strides"], stages, dims),
        "n_conv_per_stage": _counts(given["n_conv_per_stage"], stages),
        "n_conv_per_stage_decoder": _counts(given["n_conv_per_stage_decoder"], stages - 1),
    }


def _of_older_plans(given: Mapping[str, Any], file: Path) -> dict[str, Any]:
    _require_plain(str(given["UNet_class_name"]), file)
    kernels = given["conv_kernel_sizes"]
    stages = len(kernels)
    base, most = int(given["UNet_base_num_features"]), int(given["unet_max_num_features"])
    dims = len(kernels[0])
    return {
        "features_per_stage": [min(base * 2**stage, most) for stage in range(stages)],
        "kernel_sizes": _sizes(kernels, stages, dims),
        "strides": _sizes(given["pool_op_kernel_sizes"], stages, dims),
        "n_conv_per_stage": _counts(given["n_conv_per_stage_encoder"], stages),
        "n_conv_per_stage_decoder": _counts(given["n_conv_per_stage_decoder"], stages - 1),
    }


def _require_plain(name: str, file: Path) -> None:
    if name.rpartition(".")[2] != _NETWORK:
        message = f"{file}: found a network of the class {name}, expected {_NETWORK}; other networks are not rebuilt: "
        raise CheckpointError(
            message + "train anew, or bring the network as custom code and its weights as a state dict"
        )


def _sizes(given: Sequence[Any], stages: int, dims: int) -> list[list[int]]:
    sizes = [[int(size)] * dims if isinstance(size, int) else [int(each) for each in size] for size in given]
    if len(sizes) != stages or any(len(size) != dims for size in sizes):
        message = f"{len(sizes)} sizes for {stages} stages of {dims} axes"
        raise ValueError(message)
    return sizes


def _counts(given: int | Sequence[Any], stages: int) -> list[int]:
    return [given] * stages if isinstance(given, int) else [int(count) for count in given]


def _axes(plans: Mapping[str, Any], dims: int) -> tuple[int, ...]:
    """Where the axis of the network lies that sees each of ours; flat networks see images as they are."""
    if dims != 3:
        return tuple(range(dims))
    forward = [int(axis) for axis in plans.get("transpose_forward") or range(dims)]
    return tuple(forward.index(dims - 1 - axis) for axis in range(dims))


def _turned(tensor: torch.Tensor, order: Sequence[int]) -> torch.Tensor:
    kernel = tensor.ndim == len(order) + 2
    return tensor.permute(0, 1, *(2 + axis for axis in order)).contiguous() if kernel else tensor


def _renamed(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        bare = _PREFIX.sub("", name)
        for pattern, ours in _NAMES:
            if pattern.fullmatch(bare):
                found[pattern.sub(ours, bare)] = tensor
    heads = [name for name in found if name.startswith("heads.")]
    levels = sorted({int(name.split(".")[1]) for name in heads})
    for name in heads:  # one head alone, however deep it stood, is the finest
        number, part = name.split(".")[1:]
        found[f"heads.{levels.index(int(number))}.{part}"] = found.pop(name)
    return found


def _class_names(dataset: Mapping[str, Any], classes: int) -> tuple[bool, tuple[str, ...]]:
    """Whether the classes are regions (each its own channel, with a sigmoid), and a name per channel."""
    labels = dataset.get("labels")
    labels = {str(name): value for name, value in labels.items()} if isinstance(labels, Mapping) else {}
    regions = any(isinstance(value, list | tuple) for value in labels.values())
    if regions:
        names = [name for name in labels if name not in {"background", "ignore"}]
    else:
        by_value = {int(value): name for name, value in labels.items() if name != "ignore"}
        names = [by_value.get(value, f"class_{value}") for value in range(classes)]
    return regions, tuple([*names, *(f"class_{value}" for value in range(len(names), classes))][:classes])


def _preprocessing(configuration: Mapping[str, Any], order: Sequence[int]) -> dict[str, Any]:
    def ours(key: str) -> list[float] | None:
        values = configuration.get(key)
        return (
            [values[axis] for axis in order] if isinstance(values, list | tuple) and len(values) >= len(order) else None
        )

    return {
        "spacing_mm": ours("spacing"),
        "patch_size": ours("patch_size"),
        "normalization": list(configuration.get("normalization_schemes") or []),
    }


def _notes(source: Path, file: Path, plans: Mapping[str, Any], dims: int) -> tuple[str, ...]:
    notes = []
    folds = [folder.name for folder in sorted(source.glob("fold_*")) if (folder / file.name).is_file()]
    if len(folds) > 1:
        notes.append(f"the weights are of {file.parent.name}; nnU-Net would average {len(folds)} folds")
    if dims == 3:
        turned = " and its transpose_forward" if plans.get("transpose_forward") not in ([0, 1, 2], None) else ""
        notes.append(f"kernels were turned from nnU-Net's axes (z, y, x){turned} to x, y, z")
    notes.append("nnU-Net does not turn images to a common orientation: give images as it was trained on")
    return tuple(notes)
