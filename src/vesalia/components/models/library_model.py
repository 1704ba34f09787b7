"""Any network class of MONAI in the slot of a model."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import nn

from vesalia.components.models.wrapped import WrappedModel, constructor_arguments
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, NonNegative
from vesalia.registry.library import construct, load_library

__all__ = ["LibraryModel"]


class LibraryModel(WrappedModel):
    """A class of ``monai.networks.nets``; a config names it by ``path``, with the class's own arguments.

    ``{"path": "monai.networks.nets.UNet", "args": {"out_channels": 2, ...}}`` is read as this component: the arguments
    that the class's constructor names are the class's, the others these. ``in_channels``, ``spatial_dims`` and the
    number of classes need not be repeated. The class gives logits; no pretrained weights are fetched.

    Args:
        path: Dotted path of the class.
        num_classes: Channels of the output; in a config by the class's own name for it (``out_channels``).
        arguments: The class's arguments.
        final_activation: What turns logits into the output; a sigmoid where there is one channel only.
        size_divisor: What spatial sizes must be a multiple of, so that inferers can pad; found by trying if not given.
        reg_weight: Weight of the L2 penalty on the kernels.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        data_dims: Spatial axes of the image; comes from the pipeline.
        in_channels: Channels of the input; comes from the pipeline.

    Raises:
        ConfigError: There is no such class, it takes other arguments, or it would fetch weights.
    """

    def __init__(
        self,
        path: str,
        num_classes: Count,
        *,
        arguments: Mapping[str, Any] | None = None,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        size_divisor: Count | None = None,
        reg_weight: NonNegative = 0.0,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        data_dims: Literal[2, 3] = 3,
        in_channels: Count = 1,
    ) -> None:
        network = _make(path, arguments or {}, num_classes=num_classes, data_dims=data_dims, in_channels=in_channels)
        super().__init__(
            network,
            num_classes=num_classes,
            in_channels=in_channels,
            data_dims=data_dims,
            final_activation=final_activation,
            size_divisor=size_divisor,
            reg_weight=reg_weight,
        )


def _make(path: str, given: Mapping[str, Any], **sizes: int) -> nn.Module:
    found = load_library("model", path)
    if not issubclass(found, nn.Module):
        expected = "a class derived from torch.nn.Module"
        raise ConfigError(f'path: found "{path}", which is no network, expected {expected}; write another path')
    for name, value in given.items():
        if (name.startswith("pretrained") or name == "weights") and value:
            message = (
                f'{name}: found "{value}", expected nothing (no weights are fetched); write nothing here, and --set'
            )
            raise ConfigError(f"{message} MMAR_CKPT=... to start from weights of your own")
    fetches = {"pretrained": False} if "pretrained" in inspect.signature(found).parameters else {}
    with torch.device("cpu"):  # constructors may compute, which the device of a rehearsal cannot
        made: nn.Module = construct(found, constructor_arguments(found, {**fetches, **given}, **sizes))
    return made
