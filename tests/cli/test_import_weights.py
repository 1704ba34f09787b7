"""``vesalia import-weights``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.cli.running import call
from tests.inference import nnunet_like
from tests.tiny_archive import make_archive


@pytest.fixture
def archive(tmp_path: Path, balls: Path) -> Path:
    """An archive that has not been trained."""
    return make_archive(tmp_path / "archive", balls)


def test_for_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path, archive: Path) -> None:
    file = nnunet_like.save(tmp_path, nnunet_like.LikeNnunet(1, 3))
    answer = call(capsys, "import-weights", file, archive, "--json")
    assert (answer.code, answer.data["ok"], answer.data["kind"]) == (0, True, "nnU-Net v2")
    assert Path(answer.data["weights"]) == archive / "models" / "model.safetensors"
    assert Path(answer.data["card"]).is_file()


def test_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path, archive: Path) -> None:
    file = nnunet_like.save(tmp_path, nnunet_like.LikeNnunet(1, 3))
    out = call(capsys, "import-weights", file, archive, "--out", tmp_path / "theirs").out
    assert "nnU-Net v2: " in out
    assert "note: kernels were turned" in out
    assert 'trained on images with {"spacing_mm": [0.8, 0.7, 3.0]' in out
    assert 'for a train config: "model": {"name": "PlainConvUnet"' in out
    assert out.splitlines()[-1] == f"model: {tmp_path / 'theirs.safetensors'}"


def test_weights_of_another_network_are_told_with_the_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, archive: Path
) -> None:
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "w.pt")
    answer = call(capsys, "import-weights", tmp_path / "w.pt", archive)
    assert answer.code == 2
    assert "found 0 tensors that fit SegResnet" in answer.err
    assert "tensor" in answer.err
