"""Which engine runs an exported network: ONNX Runtime on a GPU or a processor, or OpenVINO on a processor."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.deploy.runner.network import OnnxNetwork, knows_gpu
from vesalia.deploy.runner.openvino import OpenvinoNetwork, has_openvino

__all__ = ["open_network"]


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
    if device == "openvino" or (device == "auto" and has_openvino() and not knows_gpu()):
        return OpenvinoNetwork(path, sha256=sha256)
    network = OnnxNetwork(path, sha256=sha256, device=device)
    if device == "auto" and network.device == "cpu" and has_openvino():
        return OpenvinoNetwork(path)
    return network
