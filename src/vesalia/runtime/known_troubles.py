"""Pairs of torch and cuDNN (or a device) that are known to be slow or wrong for 3D convolutions, with sources."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["TROUBLES", "Trouble", "cudnn_parts", "troubles_of", "version_parts"]

Parts = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is known to go wrong.

    Attributes:
        device: Where: ``cpu``, ``cuda`` or ``mps``.
        what: What goes wrong.
        write: What to do about it.
        sources: Where it was reported.
        torch_from: First version of torch that has it.
        torch_below: First later version that does not; empty where there is none yet.
        cudnn_below: First version of cuDNN that does not have it; empty where cuDNN does not matter.
        mended: Whether Vesalia's own networks avoid it already.
    """

    device: str
    what: str
    write: str
    sources: tuple[str, ...]
    torch_from: Parts = ()
    torch_below: Parts = ()
    cudnn_below: Parts = ()
    mended: bool = False


TROUBLES: Sequence[Trouble] = (
    Trouble(
        "cuda",
        "3D convolutions with use_amp take about 4 times as long and several times the memory",
        "pip install --upgrade 'nvidia-cudnn-cu{cuda}>=9.15', or another version of torch, or use_amp: false",
        ("github.com/pytorch/pytorch/issues/166122", "github.com/pytorch/pytorch/issues/166643"),
        torch_from=(2, 9),
        torch_below=(2, 10),
        cudnn_below=(9, 15),
    ),
    Trouble(
        "cpu",
        "with use_amp, gradients of 3 x 3 x 3 convolutions over grids 2 voxels deep are wrong at times (bfloat16)",
        "use_amp: false for networks of your own whose deepest grids are smaller than 4 voxels",
        ("seen with torch 2.13; docs/explanation/decisions.md",),
        mended=True,
    ),
    Trouble(
        "mps",
        "some 3D operations are missing or run on the processor",
        "--device cpu where an operation is missing",
        ("github.com/MIC-DKFZ/nnUNet/issues/1862",),
    ),
)


def version_parts(text: str) -> Parts:
    """The numbers a version begins with: (2, 9, 1) for ``2.9.1+cu128``."""
    matched = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, matched[0].split("."))) if matched else ()


def cudnn_parts(number: int | None) -> Parts:
    """The version in cuDNN's number: (9, 10, 2) for 91002, (8, 9, 2) for 8902."""
    if number is None:
        return ()
    major, rest = divmod(number, 10_000 if number >= 90_000 else 1_000)
    return (major, *divmod(rest, 100))


def troubles_of(device: str, *, torch: Parts, cudnn: Parts) -> list[Trouble]:
    """The rows of the table that meet these versions."""
    return [
        trouble
        for trouble in TROUBLES
        if trouble.device == device
        and torch >= trouble.torch_from
        and (not trouble.torch_below or torch < trouble.torch_below)
        and (not trouble.cudnn_below or not cudnn or cudnn < trouble.cudnn_below)
    ]
