"""A network as a TorchScript program: traced, written, read back and compared with the network itself."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from vesalia.errors import UserError
from vesalia.runtime.jsonfile import as_json
from vesalia.runtime.seeds import generator

__all__ = ["CARD_INSIDE", "TOLERANCE", "Program", "make_program", "untraced"]

TOLERANCE: Final = 1e-4
"""How far the program's output may be from the network's."""
CARD_INSIDE: Final = "vesalia.json"
"""The card's name inside the program's file."""
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A TorchScript program.

    Attributes:
        content: The file; empty where there is none, see :func:`untraced`.
        input_shape: ``(C, *spatial)`` it was traced with.
        output_shape: What came out, without the batch axis.
        free_sizes: Whether it takes other spatial sizes too.
        free_batch: Whether it takes several images at once.
        max_difference: Largest difference from the network's output over everything that was compared; None where
            there is no program.
    """

    content: bytes
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    free_sizes: bool
    free_batch: bool
    max_difference: float | None


def make_program(model: nn.Module, input_shape: Sequence[int], *, card: Mapping[str, Any]) -> Program:
    """Trace ``model`` (in eval mode, on the CPU) and compare the program with it, also at another size and batch.

    Args:
        model: The network.
        input_shape: ``(C, *spatial)`` to trace with.
        card: What is known of the network; it is put into the file, without the train config, which names folders.

    Raises:
        UserError: The network cannot be traced, or the program gives something else.
    """
    shape = tuple(input_shape)
    example = _images((1, *shape))
    with torch.no_grad(), _without_remarks():
        output = model(example)
        content = _traced(model, example, card)
        read_back = torch.jit.load(io.BytesIO(content))
        apart = _difference(model, read_back, example)
        if apart is None or not apart <= TOLERANCE:
            found = "a program that fails" if apart is None else f"a program whose output is up to {apart:.3g} off"
            message = f"model: found {found}, expected at most {TOLERANCE:g}; a network whose Python code decides by "
            raise UserError(message + "values in the image cannot be exported: write it without such decisions")
        more = [_difference(model, read_back, _images(other)) for other in _others(shape, model)]
    batch, sizes = (each is not None and each <= TOLERANCE for each in more)
    return Program(
        content=content,
        input_shape=shape,
        output_shape=tuple(output.shape[1:]),
        free_sizes=sizes,
        free_batch=batch,
        max_difference=max([apart, *(each for each in more if each is not None and each <= TOLERANCE)]),
    )


def untraced(model: nn.Module, input_shape: Sequence[int]) -> Program:
    """What is known of a network that has no program: what it takes itself.

    Args:
        model: The network, in eval mode, on the CPU.
        input_shape: ``(C, *spatial)`` that it takes.

    Raises:
        UserError: It does not give one tensor.
    """
    shape = tuple(input_shape)
    with torch.no_grad():
        output = model(_images((1, *shape)))
        if not isinstance(output, torch.Tensor):
            raise UserError(f"model: found a network that gives {type(output).__name__}, expected one tensor")
        pair, other = (_difference(model, model, _images(each)) for each in _others(shape, model))
    return Program(
        content=b"",
        input_shape=shape,
        output_shape=tuple(output.shape[1:]),
        free_sizes=other is not None,
        free_batch=pair is not None,
        max_difference=None,
    )


def _images(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(shape, generator=generator(_SEED, "export", *shape))


def _others(shape: tuple[int, ...], model: nn.Module) -> list[tuple[int, ...]]:
    """Two images at once, and an image of another size along each axis."""
    step = int(getattr(model, "size_divisor", 1))
    larger = [size + step * (1 + axis % 2) for axis, size in enumerate(shape[1:])]
    return [(2, *shape), (1, shape[0], *larger)]


def _traced(model: nn.Module, example: torch.Tensor, card: Mapping[str, Any]) -> bytes:
    known = {key: value for key, value in card.items() if key != "config"}
    stream = io.BytesIO()
    try:
        traced = torch.jit.trace(model, example, check_trace=False)
        torch.jit.save(traced, stream, _extra_files={CARD_INSIDE: json.dumps(as_json(known))})
    except RuntimeError as error:
        said = str(error).strip().partition("\n")[0]
        message = f"model: found a network that cannot be traced ({said}), expected one tensor in and one out"
        raise UserError(f"{message}; write it so that forward takes and gives tensors only") from error
    return stream.getvalue()


def _difference(model: nn.Module, program: nn.Module, images: torch.Tensor) -> float | None:
    """The largest difference; None where the network or the program does not take such images."""
    try:
        wanted, found = model(images), program(images)
    except (RuntimeError, ValueError, IndexError):
        return None
    if wanted.shape != found.shape:
        return None
    return float((wanted - found).abs().max())


@contextlib.contextmanager
def _without_remarks() -> Iterator[None]:
    """Without torch's remarks that TorchScript will go some day, and that Python code was followed only once.

    The servers that load the program (Triton, C++) take nothing newer yet, and what tracing could get wrong is what
    the comparison is for.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit\.", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined] # torch's stub lacks it
        yield
