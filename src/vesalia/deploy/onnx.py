"""ONNX: a file that ONNX Runtime, TensorRT, OpenVINO and many others read, and the plan by which it needs no torch."""

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
from vesalia.deploy.described import described
from vesalia.deploy.onnx_operators import translations
from vesalia.deploy.program import CARD_INSIDE, Program
from vesalia.deploy.runner.network import first_line, sha256_of
from vesalia.deploy.runner.plan import FORMAT, FORMAT_VERSION, PLAN_ENDING
from vesalia.errors import ConfigError, UserError
from vesalia.runtime import machine
from vesalia.runtime.files import atomic_path, write_json
from vesalia.runtime.jsonfile import as_json
from vesalia.runtime.seeds import generator

__all__ = ["ONNX_TOLERANCE", "Onnx", "OnnxNetwork", "described_for_runner"]

ONNX_TOLERANCE: Final = 1e-3
"""How far ONNX Runtime's output may be from the network's: its convolutions add in another order."""
_NEEDED: Final = ("onnx", "onnxscript", "onnxruntime")
_SEED: Final = 0


class OnnxNetwork(Format):
    """Writes ``<name>.onnx``, its batch and sizes free where the network takes any, compared with the network."""

    name = "onnx-network"
    purpose = "the network alone, for whatever reads ONNX"
    needs_program = False

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


class Onnx(Format):
    """Writes ``<name>.onnx`` and ``<name>.plan.json``, by which ``vesalia infer --engine onnx`` needs no torch."""

    name = "onnx"
    purpose = "inference without torch, and whatever reads ONNX"
    needs_plan = True
    needs_program = False

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the network and the plan.

        Raises:
            ConfigError: The config has steps that the runner does not know, or what it takes is not installed.
            UserError: The network cannot be written as ONNX, gives something else there, or takes no windows of the
                config's size.
        """
        plan = described_for_runner(deployment)
        (network,) = OnnxNetwork().write(deployment)
        path = deployment.folder / f"{deployment.name}{PLAN_ENDING}"
        write_json(path, {**plan, "network": {"file": network.name, "sha256": sha256_of(network), **plan["network"]}})
        return (network, path)


def described_for_runner(deployment: Deployment) -> dict[str, Any]:
    """The plan beside the network, but for the network's file.

    Raises:
        ConfigError: There is no evaluation config, or it has steps that the runner does not know.
        UserError: The network classifies, or takes no windows of the config's size.
    """
    if deployment.plan is None:
        message = "--to onnx: found no evaluation config, expected what is done before and after the network"
        raise ConfigError(f"{message}; write --to onnx-network for the network alone")
    loaded, program = deployment.loaded, deployment.program
    steps = described(deployment.plan, for_other_machines=True)
    divisor = int(getattr(loaded.model, "size_divisor", 1))
    _require_windows(steps["inferer"]["args"].get("roi_size"), program, divisor=divisor)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "network": {
            "weights_sha256": loaded.sha256,
            "in_channels": int(loaded.card["in_channels"]),
            "size_divisor": divisor,
            "free_batch": program.free_batch,
        },
        "class_names": list(loaded.class_names),
        **steps,
        "versions": dict(machine.versions()),
    }


def _require_windows(roi_size: Any, program: Program, *, divisor: int) -> None:
    sizes, dims = program.input_shape[1:], len(program.input_shape) - 1
    if len(program.output_shape) != dims + 1:
        message = "--to onnx: found a network that classifies, expected one that gives a value per voxel"
        raise UserError(f"{message}; write --to onnx-network for the network alone")
    if not program.free_sizes and roi_size and [size + -size % divisor for size in roi_size] != list(sizes):
        message = f"--to onnx: found roi_size {list(roi_size)} for a network that takes {list(sizes)} only"
        raise UserError(f"{message}, expected the same; write roi_size: {list(sizes)}")


def _require_installed() -> None:
    for package in _NEEDED:
        try:
            importlib.import_module(package)
        except ImportError as error:
            message = f"--to onnx: found no {package}, expected it to be installed"
            raise ConfigError(f"{message}; write pip install 'vesalia[onnx]'") from error


def _images(deployment: Deployment, batch: int, *, least: int = 1) -> torch.Tensor:
    channels, *sizes = deployment.program.input_shape
    shape = (batch, channels, *(max(size, least) for size in sizes))
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
    program, divisor = deployment.program, int(getattr(deployment.loaded.model, "size_divisor", 1))
    # An axis of length 1, be it of the batch or at the deepest level of the network, would be taken for fixed.
    images = _images(deployment, 2 if program.free_batch else 1, least=2 * divisor if program.free_sizes else 1)
    try:
        written = _exported(deployment, images)
    except Exception as error:  # a network of any kind, and an exporter that raises of every kind
        cause = error.__cause__ or error  # the exporter wraps what it found in advice to its developers
        said = f"{type(cause).__name__}: {first_line(cause)}"
        message = f"--to onnx: found a network that cannot be written as ONNX ({said})"
        raise UserError(f"{message}, expected one that can{_instead(deployment)}") from error
    written.model.metadata_props[CARD_INSIDE] = json.dumps(as_json(card))
    written.save(str(path))


def _exported(deployment: Deployment, images: torch.Tensor) -> Any:
    """The network as ONNX, in memory."""
    model, sizes = deployment.loaded.model, (_free_axes(deployment),)
    names = {"input_names": [deployment.input_name], "output_names": [deployment.output_name]}
    how: dict[str, Any] = {**names, "custom_translation_table": translations(), "dynamo": True, "verbose": False}
    try:
        return torch.onnx.export(model, (images,), dynamic_shapes=sizes, **how)
    except Exception:  # noqa: BLE001 - the exporter puts off what it asks of sizes, and cannot solve all of it then
        whole = torch.export.export(model, (images,), dynamic_shapes=sizes, strict=False)
        return torch.onnx.export(whole, (images,), **how)


def _compare(deployment: Deployment, path: Path) -> None:
    """Run the file in ONNX Runtime and compare it with the network."""
    runtime = importlib.import_module("onnxruntime")
    with _told(deployment):
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    apart = max(_difference(deployment, session, images) for images in _trials(deployment))
    if not apart <= ONNX_TOLERANCE:
        message = f"--to onnx: found a file whose output is up to {apart:.3g} off, expected at most {ONNX_TOLERANCE:g}"
        raise UserError(f"{message}{_instead(deployment)}")


@contextlib.contextmanager
def _told(deployment: Deployment) -> Iterator[None]:
    """What ONNX Runtime cannot do, in words."""
    try:
        yield
    except Exception as error:  # it has a class for each of a dozen reasons
        message = f"--to onnx: found a network that ONNX Runtime cannot run ({first_line(error)}), expected one"
        raise UserError(f"{message} that it can{_instead(deployment)}") from error


def _instead(deployment: Deployment) -> str:
    return "; write --to torchscript" if deployment.program.content else "; write its forward in plain torch operations"


def _trials(deployment: Deployment) -> Iterator[torch.Tensor]:
    """An image of the size it was traced with, and where these are free two at once, and another size."""
    program = deployment.program
    yield _images(deployment, 1)
    if program.free_batch:
        yield _images(deployment, 2)
    if program.free_sizes:
        step = int(getattr(deployment.loaded.model, "size_divisor", 1))
        channels, *sizes = program.input_shape
        larger = (1, channels, *(size + step * (1 + axis % 2) for axis, size in enumerate(sizes)))
        yield torch.randn(larger, generator=generator(_SEED, "onnx", *larger))


def _difference(deployment: Deployment, session: Any, images: torch.Tensor) -> float:
    feed: Mapping[str, Any] = {deployment.input_name: images.numpy()}
    with _told(deployment):
        found = torch.from_numpy(session.run(None, feed)[0])
    wanted = deployment.loaded.model(images)
    return float((found - wanted).abs().max()) if found.shape == wanted.shape else float("inf")


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
