"""Networks in ONNX Runtime: loaded when they are the right ones, refused in words when not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vesalia.deploy.runner import network as module
from vesalia.deploy.runner.network import OnnxNetwork, sha256_of
from vesalia.errors import CheckpointError, ConfigError, ResourceError, UserError


def test_images_in_probabilities_out(network: Path) -> None:
    made = OnnxNetwork(network, sha256=sha256_of(network), device="cpu", threads=1)
    found = made(np.full((2, 1, 3, 4, 5), 2, dtype=np.float32))
    assert (found.shape, found.dtype.name, made.device) == ((2, 3, 3, 4, 5), "float32", "cpu")
    assert made.sizes == (None, None, None)
    np.testing.assert_array_equal(found.argmax(axis=1), 2)


def test_another_network_than_planned_is_refused(network: Path) -> None:
    with pytest.raises(CheckpointError, match="found another network than the plan was written with"):
        OnnxNetwork(network, sha256="0" * 64)
    with pytest.raises(CheckpointError, match="found no such file"):
        OnnxNetwork(network.with_name("none.onnx"), sha256="0" * 64)
    network.write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="found no network that ONNX Runtime can load"):
        OnnxNetwork(network)


def test_images_that_it_does_not_take(network: Path) -> None:
    with pytest.raises(UserError, match="found images of 1 x 2 x 3 x 3 x 3 that the network does not take"):
        OnnxNetwork(network)(np.zeros((1, 2, 3, 3, 3), dtype=np.float32))


def test_too_little_memory_is_told(network: Path) -> None:
    class Full:
        def run(self, *_: object) -> None:
            raise RuntimeError("Failed to allocate memory for requested buffer of size 9")

    made = OnnxNetwork(network)
    made._session = Full()
    with pytest.raises(ResourceError, match="found too little memory for 1 x 1 x 2 x 2 x 2 voxels"):
        made(np.zeros((1, 1, 2, 2, 2), dtype=np.float32))


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("tensorrt", "expected an NVIDIA GPU and onnxruntime-gpu with TensorRT's own libraries"),
        ("cuda", "expected an NVIDIA GPU and onnxruntime-gpu; write --device cpu"),
        ("mps", "expected auto, openvino, cpu, cuda, tensorrt with --engine onnx"),
    ],
)
def test_a_device_that_is_not_there_is_refused_in_words(network: Path, device: str, said: str) -> None:
    if module.DEVICES.get(device) in module._runtime().get_available_providers():
        pytest.skip("this ONNX Runtime has the device")
    with pytest.raises(ConfigError, match=said):
        OnnxNetwork(network, device=device)


class Falling:
    """An ONNX Runtime that knows TensorRT, but goes on with the processor as its libraries are missing."""

    SessionOptions = SimpleNamespace

    @staticmethod
    def get_available_providers() -> list[str]:
        return list(module.DEVICES.values())

    @staticmethod
    def InferenceSession(*_: object, **__: object) -> SimpleNamespace:  # noqa: N802 - its name there
        given = SimpleNamespace(name="image", shape=["n", 1, "d", 16, "w"])
        print("EP Error")  # noqa: T201 - as ONNX Runtime does
        return SimpleNamespace(get_providers=lambda: ["CPUExecutionProvider"], get_inputs=lambda: [given])


def test_a_device_that_does_not_start_is_no_processor(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_runtime", Falling)
    with pytest.raises(ConfigError, match="--device tensorrt: found only CPUExecutionProvider"):
        OnnxNetwork(network, device="tensorrt")


def test_nobody_asked_for_a_device_so_the_processor_will_do(
    network: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, "_runtime", Falling)
    made = OnnxNetwork(network)
    assert (made.device, made.sizes) == ("cpu", (None, 16, None))
    assert caplog.messages == ["ONNX Runtime knows cuda, and could not start it: going on with the processor"]
    assert capsys.readouterr().out == ""


def test_a_gpu_is_taken_where_there_is_one() -> None:
    assert module._chosen("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"]) == "cuda"
    assert module._chosen("auto", ["CPUExecutionProvider"]) == "cpu"
    assert module._chosen("tensorrt", ["TensorrtExecutionProvider"]) == "tensorrt"


def test_without_the_package_its_line_is_named(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"found no onnxruntime, .*pip install onnxruntime"):
        OnnxNetwork(network)


def test_whether_it_knows_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_runtime", Falling)
    assert module.knows_gpu()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert not module.knows_gpu()
