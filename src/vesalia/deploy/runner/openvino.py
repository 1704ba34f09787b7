"""The same network in OpenVINO, for processors of any maker: it has fast convolutions in 3D, ONNX Runtime has not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.deploy.runner.network import first_line, require_planned, too_little_or_other
from vesalia.errors import CheckpointError, ConfigError
from vesalia.runtime.machine import usable_cores

__all__ = ["OpenvinoNetwork", "has_openvino"]

_MOST_SHAPES: Final = 2
"""Shapes of images that the network is compiled for: full passes, and the last one. Each holds its activations."""


class OpenvinoNetwork:
    """A network that OpenVINO compiled for this processor, for one thread at a time.

    Shapes that come again are compiled for, which is quicker, the first two of them; others share one network for any.

    Args:
        path: The ``.onnx`` file.
        sha256: What its hash must be; None does not look.
        threads: Threads; None for all that this process may use.

    Attributes:
        device: Where it runs.
        sizes: Voxels along each spatial axis that it takes; None where it takes any.

    Raises:
        ConfigError: OpenVINO is not installed, or cannot be imported.
        CheckpointError: The file is missing, no network that OpenVINO can run, or not the one that the plan was written
            with.
    """

    device = "openvino"

    def __init__(self, path: Path, *, sha256: str | None = None, threads: int | None = None) -> None:
        openvino = _openvino()
        require_planned(path, sha256)
        self._core = openvino.Core()
        # In float32 everywhere: elsewhere it would take half the bits where a processor can, and labels would differ.
        self._settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads or usable_cores(),
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._model = self._core.read_model(str(path))
            self._any = self._core.compile_model(self._model, "CPU", self._settings)
            self._any_request = self._any.create_infer_request()
        except RuntimeError as error:
            message = f"{path}: found no network that OpenVINO can run ({first_line(error)}), expected an ONNX file"
            raise CheckpointError(f"{message}; export again, or write --device cpu") from error
        shape = self._model.inputs[0].partial_shape
        sizes = [shape[axis] for axis in range(2, len(shape))]
        self.sizes = tuple(None if size.is_dynamic else int(size.get_length()) for size in sizes)
        self._seen: set[tuple[int, ...]] = set()
        self._requests: dict[tuple[int, ...], Any] = {}

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``[B, C, *spatial]`` to ``[B, classes, *spatial]`` float32, which is gone with the next call.

        Raises:
            ResourceError: The memory is not enough.
            UserError: The network does not take such images.
        """
        try:
            found = self._request(images.shape).infer({0: images}, share_inputs=True, share_outputs=True)
        except (RuntimeError, MemoryError) as error:
            self._requests.clear()  # what they hold may be what is missing
            raise too_little_or_other(images.shape, error) from error
        output: npt.NDArray[np.float32] = found[0]
        return output

    def _request(self, shape: tuple[int, ...]) -> Any:
        """What runs images of a shape."""
        if shape in self._seen and shape not in self._requests and len(self._requests) < _MOST_SHAPES:
            model = self._model.clone()
            model.reshape(list(shape))
            self._requests[shape] = self._core.compile_model(model, "CPU", self._settings).create_infer_request()
            self._any_request = self._any.create_infer_request()  # the one before holds activations of this shape
        self._seen.add(shape)
        return self._requests.get(shape, self._any_request)


def has_openvino() -> bool:
    """Whether it is installed; whether it can be imported shows when it is."""
    return "openvino" in sys.modules or find_spec("openvino") is not None


def _openvino() -> Any:
    """The package, without the one by which it tells its makers that it was imported: no word leaves the machine."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # so that it cannot be imported
    why = "it has no Core"
    try:
        found = importlib.import_module("openvino")
    except Exception as error:  # noqa: BLE001 - what a package's own import may raise where a library of it is missing
        found, why = None, first_line(error)
    if not hasattr(found, "Core"):
        message = f"--device openvino: found no openvino that can be imported ({why}), expected it to be installed"
        raise ConfigError(f"{message}; write pip install openvino, or --device cpu")
    return found
