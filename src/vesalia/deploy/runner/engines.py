"""Which engine runs an exported network: ONNX Runtime on a GPU or a processor, or OpenVINO on a processor."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from pathlib import Path

from vesalia.deploy.runner.network import OnnxNetwork, knows_gpu, require_planned
from vesalia.deploy.runner.openvino import OpenvinoNetwork, has_openvino
from vesalia.errors import CheckpointError, ConfigError

__all__ = ["open_network"]

_LOG = logging.getLogger(__name__)


def open_network(path: Path, *, sha256: str | None = None, device: str = "auto") -> OnnxNetwork | OpenvinoNetwork:
    """Load a network.

    Args:
        path: The ``.onnx`` file.
        sha256: What its hash must be; None does not look.
        device: ``cpu``, ``cuda`` or ``tensorrt`` of ONNX Runtime; ``openvino``; or ``auto``: a GPU where ONNX Runtime
            can start one, else OpenVINO where it is installed, else ONNX Runtime's processor.

    Raises:
        ConfigError: What it takes is not installed, or there is no such device.
        CheckpointError: The file is missing, no network, or not the one that the plan was written with.
    """
    if device == "openvino":
        return OpenvinoNetwork(path, sha256=sha256)
    if device == "auto" and not knows_gpu():
        return _in_openvino(path, sha256) or OnnxNetwork(path, sha256=sha256, device="cpu")
    made = OnnxNetwork(path, sha256=sha256, device=device)
    not_started = device == "auto" and made.device == "cpu"
    return (_in_openvino(path, sha256) or made) if not_started else made


def _in_openvino(path: Path, sha256: str | None) -> OpenvinoNetwork | None:
    """A network in OpenVINO; None where it is not installed, or cannot do it: nobody asked for it."""
    if not has_openvino():
        return None
    require_planned(path, sha256)
    try:
        return OpenvinoNetwork(path)
    except (ConfigError, CheckpointError) as error:
        _LOG.warning("OpenVINO is there and cannot be used: going on with ONNX Runtime (%s)", error)
        return None
