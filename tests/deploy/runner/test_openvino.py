"""The same network in OpenVINO: what ONNX Runtime gives, refused in the same words, and without a word to anybody."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from vesalia.deploy.runner import openvino as module
from vesalia.deploy.runner.network import OnnxNetwork, sha256_of
from vesalia.deploy.runner.openvino import OpenvinoNetwork, has_openvino
from vesalia.errors import CheckpointError, ConfigError, ResourceError, UserError

pytestmark = pytest.mark.skipif(not has_openvino(), reason="the extra openvino is not installed")


def test_as_in_onnx_runtime(network: Path) -> None:
    made, other = OpenvinoNetwork(network, sha256=sha256_of(network), threads=1), OnnxNetwork(network, device="cpu")
    assert (made.device, made.sizes) == ("openvino", (None, None, None))
    dice = np.random.default_rng(0)
    shapes = [(batch, 1, 3, 4 + batch, 5) for batch in range(1, module._MOST_SHAPES + 2)]
    for shape in (*shapes, *shapes, *shapes):  # what comes again is compiled for, as long as there are few
        images = dice.uniform(0, 2, shape).astype(np.float32)
        found = made(images)
        assert (found.shape, found.dtype.name, found.flags.writeable) == ((shape[0], 3, *shape[2:]), "float32", True)
        np.testing.assert_allclose(found, other(images), atol=1e-6)
    assert list(made._for_shape) == shapes[: module._MOST_SHAPES]


def test_another_network_than_planned_is_refused(network: Path) -> None:
    with pytest.raises(CheckpointError, match="found another network than the plan was written with"):
        OpenvinoNetwork(network, sha256="0" * 64)
    network.write_bytes(b"no network")
    with pytest.raises(CheckpointError, match=r"found no network that OpenVINO can run .*--device cpu"):
        OpenvinoNetwork(network)


def test_images_that_it_does_not_take(network: Path) -> None:
    with pytest.raises(UserError, match="found images of 1 x 2 x 3 x 3 x 3 that the network does not take"):
        OpenvinoNetwork(network)(np.zeros((1, 2, 3, 3, 3), dtype=np.float32))


def test_too_little_memory_is_told(network: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("std::bad_alloc")

    made, images = OpenvinoNetwork(network), np.zeros((1, 1, 2, 2, 2), dtype=np.float32)
    made._for_shape[images.shape] = full
    with pytest.raises(ResourceError, match="found too little memory for 1 x 1 x 2 x 2 x 2 voxels"):
        made(images)
    assert made(images).shape == (1, 3, 2, 2, 2)  # what was held is let go of


def test_no_word_leaves_the_machine(network: Path, tmp_path: Path) -> None:
    (tmp_path / "openvino_telemetry.py").write_text(f"open({str(tmp_path / 'told')!r}, 'w')")
    code = f"""
import sys
from pathlib import Path
from types import ModuleType
sys.path.insert(0, {str(tmp_path)!r})
from vesalia.deploy.runner.openvino import OpenvinoNetwork
OpenvinoNetwork(Path({str(network)!r}))
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert not (tmp_path / "told").exists()


def test_without_the_package_its_line_is_named(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r"found no openvino that can be imported .*pip install openvino"):
        OpenvinoNetwork(network)
    monkeypatch.setitem(sys.modules, "openvino", ModuleType("openvino"))  # a folder of that name, say
    with pytest.raises(ConfigError, match=r"no attribute 'Core'"):
        OpenvinoNetwork(network)


def test_where_a_shape_cannot_be_compiled_for_it_goes_on_as_before(network: Path) -> None:
    class Refusing:
        def compile_model(self, *_: object) -> None:
            raise RuntimeError("no room for this one")

    made, images = OpenvinoNetwork(network), np.ones((1, 1, 2, 2, 2), dtype=np.float32)
    made._core = Refusing()
    for _ in range(3):
        np.testing.assert_array_equal(made(images).argmax(axis=1), 1)
    assert made._for_shape == {}


def test_preparing_it_compiles_for_no_shape(network: Path) -> None:
    made, images = OpenvinoNetwork(network), np.ones((1, 1, 2, 2, 2), dtype=np.float32)
    made.prepare(images)
    made(images)
    assert made._for_shape == {}
