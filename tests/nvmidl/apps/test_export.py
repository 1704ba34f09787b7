"""``python -m nvmidl.apps.export``, as ``export.sh`` and ``export2Triton.sh`` of an old archive call it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from nvmidl.apps.export import main
from tests.deploy.torchscript_file import outputs
from vesalia.inference.weights import load_weights

V3 = ["--model_file_format", "CKPT", "--model_name", "model", "--input_node_names", "NV_MODEL_INPUT"]
V3 += ["--output_node_names", "NV_MODEL_OUTPUT", "--trt_min_seg_size", "50"]
TRITON = ["--trtis_export", "--trtis_model_name", "spleen", "--trtis_input_shape", "1 16 16 16"]


def export(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    """Run it; gives exit code and what was said."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, said.out, said.err


def test_export_sh(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = export(capsys, *V3, "--model_file_path", trained / "models")
    assert (code, err) == (0, "")
    assert "model.trt.pb" in out
    images = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        wanted = load_weights(trained / "models/model").model(images)
    for name in ("model.fzn.pb", "model.trt.pb"):
        torch.testing.assert_close(outputs(trained / "models" / name, images), wanted)
    assert not (trained / "models/config.pbtxt").exists()


@pytest.mark.parametrize("shape", [["1 16 16 16"], ["1", "16", "16", "16"]])
def test_export_for_triton(trained: Path, capsys: pytest.CaptureFixture[str], shape: list[str]) -> None:
    words = [*V3, *TRITON[:-1], *shape, "--json", "--model_file_path", str(trained / "models")]
    code, out, _ = export(capsys, *words)
    assert code == 0
    names = [Path(path).relative_to(trained / "models").as_posix() for path in json.loads(out)["files"]]
    assert names == [
        "model.fzn.pb",
        "model.trt.pb",
        "config.pbtxt",
        "triton/spleen/config.pbtxt",
        "triton/spleen/1/model.pt",
        "model.export.json",
    ]
    config = (trained / "models/config.pbtxt").read_text()
    assert 'name: "spleen"' in config
    assert "dims: [1, 16, 16, 16]" in config


def test_without_a_name_triton_gets_that_of_the_weights(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = export(
        capsys, "--trtis_export", "--model_file_path", trained / "models", "--model_name", "model_final"
    )
    assert code == 0
    assert (trained / "models/triton/model_final/1/model.pt").is_file()


@pytest.mark.parametrize("value", ["false", "0"])
def test_triton_can_be_switched_off(trained: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    assert export(capsys, *V3, "--model_file_path", trained / "models", "--trtis_export", value)[0] == 0
    assert not (trained / "models/triton").exists()


def test_what_only_tensorflow_understood_is_passed_over(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--trt_precision_mode", "FP16", "--set", "a=1", "b=2"]
    code, _, err = export(capsys, *V3, *words, "--model_file_path", trained / "models")
    assert code == 0
    assert "without effect here: --trt_precision_mode FP16" in err


def test_a_relative_folder_starts_at_the_root_of_the_script(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMAR_ROOT", str(trained))
    assert export(capsys, *V3, "--model_file_path", "models")[0] == 0
    assert (trained / "models/model.trt.pb").is_file()


def test_weights_outside_of_any_archive(trained: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    moved = (trained / "models").rename(tmp_path / "alone")
    assert export(capsys, *V3, "--model_file_path", moved)[0] == 0
    assert (moved / "model.fzn.pb").is_file()


def test_the_weights_of_tensorflow_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.ckpt.index").touch()
    code, out, err = export(capsys, *V3, "--model_file_path", tmp_path, "--json")
    answer: dict[str, Any] = json.loads(out)
    assert (code, answer["error"]) == (2, "CheckpointError")
    assert "found a TensorFlow checkpoint" in err


def test_later_ranks_leave_it_to_the_first(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    assert export(capsys, *V3, "--model_file_path", trained / "models")[0] == 0
    assert not (trained / "models/model.trt.pb").exists()
