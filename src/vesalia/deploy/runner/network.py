"""A network in ONNX Runtime: images in, probabilities out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.errors import CheckpointError, ConfigError, ResourceError, UserError
from vesalia.runtime.machine import usable_cores

__all__ = ["DEVICES", "OnnxNetwork", "first_line", "knows_gpu", "require_planned", "sha256_of", "too_little_or_other"]

DEVICES: Final[Mapping[str, str]] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
"""Device to what ONNX Runtime calls it."""

_LOG = logging.getLogger(__name__)
_WARNINGS_AND_WORSE: Final = 3


class OnnxNetwork:
    """A session with a network.

    Args:
        path: The ``.onnx`` file.
        sha256: What its hash must be; None does not look.
        device: ``auto`` (a GPU where ONNX Runtime can start one, else the processor), ``cpu``, ``cuda`` or
            ``tensorrt``.
        threads: Threads on the processor; None for all that this process may use.

    Attributes:
        device: Where it runs.
        sizes: Voxels along each spatial axis that it takes; None where it takes any.

    Raises:
        ConfigError: ONNX Runtime is not installed, or has no such device.
        CheckpointError: The file is missing, no network, or not the one that the plan was written with.
    """

    def __init__(
        self, path: Path, *, sha256: str | None = None, device: str = "auto", threads: int | None = None
    ) -> None:
        runtime = _runtime()
        require_planned(path, sha256)
        self.device = _chosen(device, runtime.get_available_providers())
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.log_severity_level = _WARNINGS_AND_WORSE
        session = _loaded(runtime, path, options, self.device)
        started = session.get_providers()
        if DEVICES[self.device] not in started:
            if device != "auto":
                raise ConfigError(_lacks(self.device, f"only {', '.join(started)}"))
            _LOG.warning("ONNX Runtime knows %s, and could not start it: going on with the processor", self.device)
            self.device = "cpu"
        self._session: Any = session
        (given, *_) = session.get_inputs()
        self._input: str = given.name
        self.sizes = tuple(size if isinstance(size, int) else None for size in given.shape[2:])

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """``[B, C, *spatial]`` to ``[B, classes, *spatial]`` float32.

        Raises:
            ResourceError: The memory is not enough.
            UserError: The network does not take such images.
        """
        try:
            output: npt.NDArray[np.float32] = self._session.run(None, {self._input: images})[0]
        except Exception as error:  # ONNX Runtime has a class for each of a dozen reasons
            raise too_little_or_other(images.shape, error) from error
        return output


def _loaded(runtime: Any, path: Path, options: Any, device: str) -> Any:
    """A session on a device, or on what ONNX Runtime falls back to.

    Raises:
        CheckpointError: The file is no network.
    """
    providers = [DEVICES["cpu"]] if device == "cpu" else [DEVICES[device], DEVICES["cuda"], DEVICES["cpu"]]
    try:
        with contextlib.redirect_stdout(sys.stderr):  # where it falls back it prints
            return runtime.InferenceSession(str(path), options, providers=list(dict.fromkeys(providers)))
    except Exception as error:  # see above
        message = f"{path}: found no network that ONNX Runtime can load ({first_line(error)}), expected an ONNX"
        raise CheckpointError(f"{message} file; export again") from error


def require_planned(path: Path, sha256: str | None) -> None:
    """Require that a file is the network that a plan was written with; None does not look.

    Raises:
        CheckpointError: It is missing, or another one.
    """
    if sha256 is not None and sha256_of(path) != sha256:
        message = f"{path}: found another network than the plan was written with, expected its hash to be {sha256}"
        raise CheckpointError(f"{message}; export again, or copy both files again")


def too_little_or_other(shape: Sequence[int], error: Exception) -> UserError:
    """Why images of a shape ``[B, C, *spatial]`` could not go through a network."""
    voxels = " x ".join(map(str, shape))
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        message = f"found too little memory for {voxels} voxels, expected room; write a smaller batch_size"
        return ResourceError(f"{message} or roi_size for the inferer")
    message = f"found images of {voxels} that the network does not take ({first_line(error)}), expected those"
    return UserError(f"{message} it was exported for; export again")


def sha256_of(path: Path) -> str:
    """The hash of a file.

    Raises:
        CheckpointError: It is not there, or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        message = f"{path}: found no such file ({error.strerror}), expected the network beside its plan; export again"
        raise CheckpointError(message) from error
    return digest.hexdigest()


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        message = "--engine onnx: found no onnxruntime, expected it to be installed; write pip install onnxruntime"
        raise ConfigError(message) from error


def knows_gpu() -> bool:
    """Whether ONNX Runtime is installed and knows of GPUs; whether it can start one shows when it does."""
    try:
        return DEVICES["cuda"] in _runtime().get_available_providers()
    except ConfigError:
        return False


def _chosen(device: str, available: Sequence[str]) -> str:
    if device == "auto":
        return "cuda" if DEVICES["cuda"] in available else "cpu"
    if device not in DEVICES:
        message = f"--device: found {device!r}, expected auto, openvino, {', '.join(DEVICES)} with --engine onnx"
        raise ConfigError(f"{message}; write --device cpu")
    if DEVICES[device] not in available:
        raise ConfigError(_lacks(device, f"an ONNX Runtime with {', '.join(available)}"))
    return device


def _lacks(device: str, found: str) -> str:
    needs = "an NVIDIA GPU and onnxruntime-gpu" + (" with TensorRT's own libraries" if device == "tensorrt" else "")
    return f"--device {device}: found {found}, expected {needs}; write --device cpu, or install onnxruntime-gpu"


def first_line(error: BaseException) -> str:
    """What an error of a library says first."""
    return str(error).strip().partition("\n")[0][:300]
