"""Which number format a network computes in, and how its memory is laid out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

__all__ = ["Autocast", "FabricPrecision", "Precision", "choose_precision", "wants_amp"]

FabricPrecision = Literal["32-true", "bf16-mixed", "16-mixed"]
Autocast = Callable[[], AbstractContextManager[None]]
"""Gives a fresh context in which the network computes in its number format."""


@dataclass(frozen=True, slots=True)
class Precision:
    """A number format for the network; losses and metrics stay in float32 whatever it is.

    Attributes:
        name: What Fabric calls it.
        channels_last: Whether channels-last memory is the faster layout (float32 convolutions on CPUs).
        note: What the user should know of the choice, or nothing.
    """

    name: FabricPrecision
    channels_last: bool = False
    note: str = ""

    @property
    def scales_gradients(self) -> bool:
        """Whether the optimizer's step scales gradients, and leaves out those that are not finite, by itself."""
        return self.name == "16-mixed"

    def autocast(self, device: torch.device) -> AbstractContextManager[Any]:
        """A fresh context in which a network on ``device`` computes in this format."""
        if self.name == "32-true":
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16 if self.name == "bf16-mixed" else torch.float16)

    def arrange(self, tensor: torch.Tensor) -> torch.Tensor:
        """Lay out a ``[B, C, (D,) H, W]`` tensor as the convolutions like it best."""
        if not self.channels_last:
            return tensor
        layout = torch.channels_last_3d if tensor.ndim == 5 else torch.channels_last
        return tensor.contiguous(memory_format=layout)

    def arrange_model(self, model: torch.nn.Module) -> torch.nn.Module:
        """Lay out a model's kernels to match :meth:`arrange`."""
        if self.channels_last:
            for parameter in model.parameters():
                if parameter.ndim in {4, 5}:
                    parameter.data = self.arrange(parameter.data)
        return model


def wants_amp(use_amp: bool | None) -> bool:
    """What v3 decides: the config's ``use_amp``; where it is absent, ``TF_ENABLE_AUTO_MIXED_PRECISION``."""
    if use_amp is not None:
        return use_amp
    return os.environ.get("TF_ENABLE_AUTO_MIXED_PRECISION", "0") == "1"


def choose_precision(device: torch.device, *, amp: bool) -> Precision:
    """The number format for ``device``; AMP is refused in words where it would be slower or wrong."""
    if device.type == "cpu":
        if amp and _cpu_has_bfloat16():
            return Precision("bf16-mixed")
        note = "use_amp: this processor has no bfloat16 instructions; training in float32" if amp else ""
        return Precision("32-true", channels_last=True, note=note)
    if not amp:
        return Precision("32-true")
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return Precision("16-mixed")
    return Precision("bf16-mixed")


def _cpu_has_bfloat16() -> bool:
    ask: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # older torch cannot be asked
    capabilities = ask()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
