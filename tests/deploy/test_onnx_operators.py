"""Operators in ONNX: the numbers of torch, at any size, without a change of shape of all voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vesalia.deploy.onnx import _without_remarks
from vesalia.deploy.onnx_operators import translations

FREE = torch.export.Dim.DYNAMIC


def exported(layer: nn.Module, images: torch.Tensor) -> Any:
    with torch.no_grad(), _without_remarks():
        return torch.onnx.export(
            layer,
            (images,),
            dynamic_shapes=({axis: FREE for axis in range(images.ndim) if axis != 1},),
            dynamo=True,
            verbose=False,
            custom_translation_table=translations(),
        )


@pytest.mark.slow
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("dims", "groups"), [(0, 4), (2, 1), (3, 4), (3, 8)])
def test_group_normalisation(dims: int, groups: int, affine: bool, tmp_path: Path) -> None:
    """Also of values far from zero, where the square of a mean would eat up a variance."""
    layer = nn.GroupNorm(groups, 8, affine=affine)
    if affine:
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    exact = deepcopy(layer).double()
    program = exported(layer, torch.randn(2, 8, *[5] * dims))
    assert "InstanceNormalization" not in {node.op_type for node in program.model.graph}
    program.save(str(tmp_path / "layer.onnx"))
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(tmp_path / "layer.onnx"), providers=["CPUExecutionProvider"])
    for batch, offset in ((1, 0.0), (3, 1000.0)):
        images = torch.randn(batch, 8, *range(4, 4 + dims)) + offset
        (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        with torch.no_grad():
            expected = exact(images.double())
        torch.testing.assert_close(torch.from_numpy(found).double(), expected, atol=2e-3 if offset else 1e-5, rtol=0)


@pytest.mark.slow
def test_half_the_bits(tmp_path: Path) -> None:
    """Also of values whose squares they cannot hold."""
    layer, images = nn.GroupNorm(2, 8).half(), (torch.randn(2, 8, 5, 5) * 1000).half()
    exported(layer, images).save(str(tmp_path / "layer.onnx"))
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(tmp_path / "layer.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: images.numpy()})
    with torch.no_grad():
        expected = layer.float()(images.float())
    torch.testing.assert_close(torch.from_numpy(found).float(), expected, atol=1e-2, rtol=0)
