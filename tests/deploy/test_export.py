"""Export: files of several formats with one record, beside the weights or elsewhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vesalia.deploy import export as module
from vesalia.deploy.export import Wish, export
from vesalia.errors import CheckpointError, ConfigError, UserError
from vesalia.inference.weights import load_weights


def test_beside_the_weights_with_a_record(prefix: Path) -> None:
    result = export(prefix.with_suffix(".ckpt"), Wish(formats=["frozen", "torchscript", "triton"]))
    assert [path.relative_to(prefix.parent).as_posix() for path in result.files] == [
        "model.fzn.pb",
        "model.trt.pb",
        "model.ts",
        "triton/model/config.pbtxt",
        "triton/model/1/model.pt",
        "model.export.json",
    ]
    record = json.loads(result.files[-1].read_text())
    assert record == json.loads(json.dumps(result.to_dict()["record"]))
    assert record["weights_sha256"] == load_weights(prefix).sha256
    assert record["inputs"][0]["name"] == "NV_MODEL_INPUT"
    assert record["inputs"][0]["shape"] == [None, 1, None, None, None]
    assert record["outputs"][0]["shape"] == [None, 3, None, None, None]
    assert (record["size_divisor"], record["class_names"][0]) == (4, "background")
    for path, facts in zip(result.files, record["files"], strict=False):
        assert prefix.parent / facts["path"] == path
        assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_weights_stay_as_they_are(prefix: Path) -> None:
    before = {path: path.read_bytes() for path in prefix.parent.iterdir()}
    export(prefix, Wish(formats=["frozen-triton", "frozen"]))
    assert {path: path.read_bytes() for path in before} == before
    assert load_weights(prefix.with_name("model.trt.pb")).prefix == prefix


def test_elsewhere_under_other_names(prefix: Path, tmp_path: Path) -> None:
    wish = Wish(
        formats=["triton"],
        folder=tmp_path / "new" / "folder",
        input_name="ct",
        output_name="organs",
        input_shape=(1, 16, 8, 8),
        serving_name="spleen",
        max_batch_size=2,
    )
    result = export(prefix, wish)
    assert result.files[0] == tmp_path / "new/folder/triton/spleen/config.pbtxt"
    assert "max_batch_size: 2" in result.files[0].read_text()
    assert [result.record[end][0]["name"] for end in ("inputs", "outputs")] == ["ct", "organs"]


@pytest.mark.parametrize("name", ["..", "a/b", " ", "a\nb"])
def test_a_serving_name_that_leads_elsewhere_is_refused(prefix: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="expected a plain name"):
        export(prefix, Wish(formats=["triton"], serving_name=name))


def test_without_weights_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="found no weights there"):
        export(tmp_path / "model", Wish(folder=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


class Untraceable(nn.Module):
    """Refuses to be traced, and can be written as ONNX."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.size_divisor = inner, 4

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call] # torch's stub lacks it
            raise RuntimeError("not to be traced")
        found: torch.Tensor = self.inner(image)
        return found


@pytest.mark.slow
def test_onnx_does_without_a_trace(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_weights(prefix)
    other = replace(loaded, model=Untraceable(loaded.model).eval())
    monkeypatch.setattr(module, "load_weights", lambda *_, **__: other)
    result = export(prefix, Wish(formats=["onnx-network"], input_shape=(1, 8, 8, 8)))
    assert [path.name for path in result.files] == ["model.onnx", "model.export.json"]
    assert (result.record["free_sizes"], result.record["free_batch"], result.record["max_difference"]) == (
        True,
        True,
        None,
    )
    with pytest.raises(UserError, match="found a network that cannot be traced"):
        export(prefix, Wish(formats=["onnx-network", "torchscript"], input_shape=(1, 8, 8, 8)))
