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
        passes_held: Passes whose memory it may hold at a time.
        sizes: Voxels along each spatial axis that it takes; None where it takes any.

    Raises:
        ConfigError: OpenVINO is not installed, or cannot be imported.
        CheckpointError: The file is missing, no network that OpenVINO can run, or not the one that the plan was written
            with.
    """

    device = "openvino"
    passes_held = _MOST_SHAPES

    def __init__(self, path: Path, *, sha256: str | None = None, threads: int | None = None) -> None:
        openvino = _openvino()
        require_planned(path, sha256)
        # In float32 everywhere: elsewhere it would take half the bits where a processor can, and labels would differ.
        self._settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads or usable_cores(),
            "ENABLE_CPU_PINNING": False,
        }
        try:
            self._core = openvino.Core()
            self._model = self._core.read_model(str(path))
            self._any = self._core.compile_model(self._model, "CPU", self._settings)
        except RuntimeError as error:
            message = f"{path}: found no network that OpenVINO can run ({first_line(error)}), expected an ONNX file"
            raise CheckpointError(f"{message}; export again, or write --device cpu") from error
        shape = self._model.inputs[0].partial_shape
        sizes = [shape[axis] for axis in range(2, len(shape))]
        self.sizes = tuple(None if size.is_dynamic else int(size.get_length()) for size in sizes)
        self._seen: set[tuple[int, ...]] = set()
        self._for_shape: dict[tuple[int, ...], Any] = {}
        self._most_shapes = _MOST_SHAPES

    def prepare(self, images: npt.NDArray[np.float32]) -> None:
        """Have everything made that the first images need, whatever their size."""
        self(images)
        self._seen.clear()

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``[B, C, *spatial]`` to ``[B, classes, *spatial]`` float32, which is gone with the next call.

        Raises:
            ResourceError: The memory is not enough.
            UserError: The network does not take such images.
        """
        try:
            compiled = self._compiled(images.shape)
            found = compiled({0: images}, share_inputs=True, share_outputs=True)
        except (RuntimeError, MemoryError) as error:
            self._for_shape.clear()  # what they hold may be what is missing
            self._any.release_memory()
            raise too_little_or_other(images.shape, error) from error
        output: npt.NDArray[np.float32] = found[0]
        return output

    def _compiled(self, shape: tuple[int, ...]) -> Any:
        """What runs images of a shape."""
        again, known = shape in self._seen, shape in self._for_shape
        self._seen.add(shape)
        if again and not known and len(self._for_shape) < self._most_shapes and None in self.sizes:
            try:
                model = self._model.clone()
                model.reshape(list(shape))
                self._for_shape[shape] = self._core.compile_model(model, "CPU", self._settings)
                self._any.release_memory()  # it has run images of this shape
            except (RuntimeError, MemoryError):  # it goes on as it went before, and does not try again each time
                self._most_shapes = 0
        return self._for_shape.get(shape, self._any)


def has_openvino() -> bool:
    """Whether it is installed; whether it can be imported shows when it is."""
    return "openvino" in sys.modules or find_spec("openvino") is not None


def _openvino() -> Any:
    """The package, without the one by which it tells its makers that it was imported: no word leaves the machine."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # so that it cannot be imported
    try:
        found = importlib.import_module("openvino")
        found.Core  # noqa: B018 - a folder that happens to have the name has none
    except Exception as error:  # whatever a package's own import raises where a library of it is missing
        message = f"--device openvino: found no openvino that can be imported ({first_line(error)}), expected it to be"
        raise ConfigError(f"{message} installed; write pip install openvino, or --device cpu") from error
    return found
