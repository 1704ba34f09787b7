"""ONNX: one file that ONNX Runtime, TensorRT, OpenVINO and many others read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import importlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch

from vesalia.deploy.base import Deployment, Format
from vesalia.deploy.program import CARD_INSIDE
from vesalia.errors import ConfigError, UserError
from vesalia.runtime.files import atomic_path
from vesalia.runtime.jsonfile import as_json
from vesalia.runtime.seeds import generator

__all__ = ["ONNX_TOLERANCE", "Onnx"]

ONNX_TOLERANCE: Final = 1e-3
"""How far ONNX Runtime's output may be from the network's: its convolutions add in another order."""
_NEEDED: Final = ("onnx", "onnxscript", "onnxruntime")
_SEED: Final = 0


class Onnx(Format):
    """Writes ``<name>.onnx``, its batch and sizes free where the network takes any, compared with the network."""

    name = "onnx"
    purpose = "ONNX Runtime and the many that read ONNX"

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the network, after ONNX Runtime gave the same as it.

        Raises:
            ConfigError: What it takes is not installed.
            UserError: The network cannot be written as ONNX, or gives something else there.
        """
        _require_installed()
        path = deployment.folder / f"{deployment.name}.onnx"
        with torch.no_grad(), _without_remarks(), atomic_path(path) as temporary:
            _write(deployment, temporary)
            _compare(deployment, temporary)
        return (path,)


def _require_installed() -> None:
    for package in _NEEDED:
        try:
            importlib.import_module(package)
        except ImportError as error:
            message = f"--to onnx: found no {package}, expected it to be installed"
            raise ConfigError(f"{message}; write pip install 'vesalia[onnx]'") from error


def _images(deployment: Deployment, batch: int) -> torch.Tensor:
    shape = (batch, *deployment.program.input_shape)
    return torch.randn(shape, generator=generator(_SEED, "onnx", *shape))


def _free_axes(deployment: Deployment) -> dict[int, Any]:
    """Axis of the input to a size that is free."""
    program, free = deployment.program, torch.export.Dim.DYNAMIC
    axes: dict[int, Any] = {0: free} if program.free_batch else {}
    if program.free_sizes:
        axes.update(dict.fromkeys(range(2, len(program.input_shape) + 1), free))
    return axes


def _write(deployment: Deployment, path: Path) -> None:
    card = {key: value for key, value in deployment.loaded.card.items() if key != "config"}
    batch = 2 if deployment.program.free_batch else 1  # an axis of length 1 would be taken for fixed
    try:
        program: Any = torch.onnx.export(
            deployment.loaded.model,
            (_images(deployment, batch),),
            input_names=[deployment.input_name],
            output_names=[deployment.output_name],
            dynamic_shapes=(_free_axes(deployment),),
            dynamo=True,
            verbose=False,
        )
    except Exception as error:  # a network of any kind, and an exporter that raises of every kind
        said = str(error).strip().partition("\n")[0]
        message = f"--to onnx: found a network that cannot be written as ONNX ({type(error).__name__}: {said})"
        raise UserError(f"{message}, expected one that can; write --to torchscript") from error
    program.model.metadata_props[CARD_INSIDE] = json.dumps(as_json(card))
    program.save(str(path))


def _compare(deployment: Deployment, path: Path) -> None:
    """Run the file in ONNX Runtime and compare it with the network."""
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    images = _images(deployment, 1)
    feed: Mapping[str, Any] = {deployment.input_name: images.numpy()}
    found = torch.from_numpy(session.run(None, feed)[0])
    wanted = deployment.loaded.model(images)
    apart = float((found - wanted).abs().max()) if found.shape == wanted.shape else float("inf")
    if not apart <= ONNX_TOLERANCE:
        message = f"--to onnx: found a file whose output is up to {apart:.3g} off, expected at most {ONNX_TOLERANCE:g}"
        raise UserError(f"{message}; write --to torchscript")


@contextlib.contextmanager
def _without_remarks() -> Iterator[None]:
    """Without the exporter's remarks on its own insides, and on packages that are not there."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
