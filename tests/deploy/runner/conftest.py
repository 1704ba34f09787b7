"""A network in ONNX that says which class an intensity is, a plan around it, and images."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inference.tiny import CLASSES, make_data
from vesalia.deploy.runner.network import sha256_of

__all__: list[str] = []


def write_network(path: Path, *, classes: int = len(CLASSES), channels: int = 1) -> Path:
    """Probabilities of the classes 0, 1, 2 ...: the nearer an intensity is to a number, the more likely it is that."""
    onnx = importlib.import_module("onnx")
    numbers = np.arange(classes, dtype=np.float32)
    weights = np.tile((8 * numbers).reshape(classes, 1, 1, 1, 1), (1, channels, 1, 1, 1)).astype(np.float32)
    kept = [onnx.numpy_helper.from_array(weights, "w"), onnx.numpy_helper.from_array(-4 * numbers**2, "b")]
    nodes = [
        onnx.helper.make_node("Conv", ["image", "w", "b"], ["logits"]),
        onnx.helper.make_node("Softmax", ["logits"], ["classes"], axis=1),
    ]
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", count, "d", "h", "w_"])
        for name, count in (("image", channels), ("classes", classes))
    ]
    graph = onnx.helper.make_graph(nodes, "echo", ends[:1], ends[1:], kept)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The network's file."""
    (tmp_path / "exported").mkdir()
    return write_network(tmp_path / "exported" / "model.onnx")


@pytest.fixture
def plan(network: Path) -> Path:
    """The plan beside it."""
    path = network.with_name("model.plan.json")
    path.write_text(json.dumps(described(network)))
    return path


def described(network: Path) -> dict[str, Any]:
    """A plan as data."""
    facts = {"file": network.name, "sha256": sha256_of(network), "weights_sha256": "0" * 64}
    return {
        "format": "vesalia-inference-plan",
        "format_version": 1,
        "network": {**facts, "in_channels": 1, "size_divisor": 4, "free_batch": True},
        "class_names": list(CLASSES),
        "pre_transforms": [
            {"name": "LoadNifti", "args": {"fields": "image", "as_closest_canonical": True}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
        ],
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [8, 8, 5], "batch_size": 3}},
        "post_transforms": [
            {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
            {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": True}},
        ],
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8", "write_path": None}}],
    }


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Images whose intensities are classes."""
    return sorted(make_data(tmp_path / "data").parent.glob("image/*.nii.gz"))
