"""A quick test of what every network here is made of: 3D convolutions and their gradients, against float64."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from vesalia.runtime.precision import choose_precision

__all__ = ["TriedFormat", "formats_of", "try_formats"]

_TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2, "float16": 1e-2}
_TOLERANCE_TF32 = 1e-2
"""GPUs convolve float32 in TF32, which has 10 bits."""
_TIMES = 3
_Convolve = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class TriedFormat:
    """What a number format gave.

    Attributes:
        format: ``float32``, ``bfloat16`` or ``float16``.
        error: Largest difference from float64, relative to the largest value.
        tolerance: What is allowed.
        seconds: Time of a forward and a backward pass of one convolution.
        used: Whether a training would use it here: ``float32`` always, another with ``use_amp``.
        trouble: What was raised instead, if anything.
    """

    format: str
    error: float
    tolerance: float
    seconds: float
    used: bool
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Whether it gave what it should."""
        return not self.trouble and self.error <= self.tolerance


def formats_of(device: torch.device) -> list[str]:
    """The number formats that can be tried on ``device``."""
    return ["float32", "bfloat16"] if device.type == "cpu" else ["float32", "bfloat16", "float16"]


def try_formats(device: torch.device, *, size: int = 12, channels: int = 8) -> list[TriedFormat]:
    """Try each number format on ``device``.

    Args:
        device: The device.
        size: Edge of the image in voxels.
        channels: Channels of the image.
    """
    used = {"float32", _amp_format(device)}
    return [_test(name, device, used=name in used, size=size, channels=channels) for name in formats_of(device)]


def _amp_format(device: torch.device) -> str:
    return {"bf16-mixed": "bfloat16", "16-mixed": "float16"}.get(choose_precision(device, amp=True).name, "float32")


def _test(name: str, device: torch.device, *, used: bool, size: int, channels: int) -> TriedFormat:
    tolerance = _TOLERANCE_TF32 if name == "float32" and device.type != "cpu" else _TOLERANCE[name]
    try:
        error = max(_error(convolve, name, device, size=size, channels=channels) for convolve in _cases())
        seconds = min(_seconds(name, device, size=size, channels=channels) for _ in range(_TIMES))
    except (RuntimeError, NotImplementedError, TypeError) as raised:  # a format or a device that cannot do it
        said = (str(raised).strip() or type(raised).__name__).splitlines()[0]
        return TriedFormat(name, float("nan"), tolerance, float("nan"), used, said)
    return TriedFormat(name, error, tolerance, seconds, used)


def _cases() -> Sequence[_Convolve]:
    return (
        lambda image, kernel: F.conv3d(image, kernel, padding=1),
        lambda image, kernel: F.conv3d(image, kernel, padding=1, stride=2),
        lambda image, kernel: F.conv_transpose3d(image, kernel, stride=2, padding=1),
    )


def _tensors(device: torch.device, *, size: int, channels: int, dtype: torch.dtype) -> list[torch.Tensor]:
    dice = torch.Generator().manual_seed(1)
    image = torch.randn(1, channels, size, size, size, generator=dice, dtype=torch.float64)
    kernel = torch.randn(channels, channels, 3, 3, 3, generator=dice, dtype=torch.float64)
    return [tensor.to(device, dtype).requires_grad_() for tensor in (image, kernel)]


def _pass(convolve: _Convolve, tensors: Sequence[torch.Tensor], name: str) -> list[torch.Tensor]:
    """The output and the gradients."""
    image, kernel = tensors
    if name in {"float32", "float64"}:
        output = convolve(image, kernel)
    else:
        with torch.autocast(image.device.type, getattr(torch, name)):
            output = convolve(image, kernel)
    gradients = torch.autograd.grad(output.to(image.dtype).square().mean(), (image, kernel))
    return [tensor.detach().cpu().double() for tensor in (output, *gradients)]


def _error(convolve: _Convolve, name: str, device: torch.device, *, size: int, channels: int) -> float:
    exact = _pass(convolve, _tensors(torch.device("cpu"), size=size, channels=channels, dtype=torch.float64), "float64")
    found = _pass(convolve, _tensors(device, size=size, channels=channels, dtype=torch.float32), name)
    pairs = zip(found, exact, strict=True)
    worst = torch.stack([(one - other).abs().max() / other.abs().max() for one, other in pairs]).max()
    return float(worst.nan_to_num(float("inf")))


def _seconds(name: str, device: torch.device, *, size: int, channels: int) -> float:
    tensors = _tensors(device, size=2 * size, channels=channels, dtype=torch.float32)
    _wait(device)
    began = time.perf_counter()
    _pass(_cases()[0], tensors, name)
    _wait(device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
