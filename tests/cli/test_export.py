"""``vesalia export``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import call


def test_the_best_model_as_torchscript(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "export", trained)
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[:2] == [str(trained / "models/model.ts"), str(trained / "models/model.export.json")]
    assert "from the network's own output" in answer.out


def test_formats_and_places_for_machines(capsys: pytest.CaptureFixture[str], trained: Path, tmp_path: Path) -> None:
    answer = call(
        capsys, "export", trained, "--to", "triton,frozen", "--weights", trained / "models/model_final.ckpt",
        "--out", tmp_path / "out", "--input-shape", "1 16 16 16", "--serving-name", "balls", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    names = [Path(path).relative_to(tmp_path / "out").as_posix() for path in answer.data["files"]]
    assert names == [
        "triton/balls/config.pbtxt",
        "triton/balls/1/model.pt",
        "model_final.fzn.pb",
        "model_final.trt.pb",
        "model_final.export.json",
    ]
    assert answer.data["record"]["max_difference"] < 1e-4


def test_the_checkpoint_folder_can_be_set(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    (trained / "models").rename(trained / "runs")
    answer = call(capsys, "export", trained, "--set", "MMAR_CKPT_DIR=runs")
    assert (answer.code, (trained / "runs/model.ts").is_file()) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["--to", "caffe"], "ConfigError", "expected one of torchscript"),
        (["--input-shape", "1 large"], "ConfigError", "--input-shape: found '1 large'"),
        (["--input-shape", "1,16x16"], "ConfigError", "input shape: found 1 16 16, expected 1 for the channels and 3"),
        (["--weights", "gone"], "CheckpointError", "found no weights there"),
    ],
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str], trained: Path, arguments: list[str], kind: str, said: str
) -> None:
    answer = call(capsys, "export", trained, *arguments, "--json")
    assert (answer.code, answer.data["error"]) == (2, kind)
    assert said in answer.data["message"]


def test_later_ranks_leave_it_to_the_first(
    capsys: pytest.CaptureFixture[str], trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    answer = call(capsys, "export", trained, "--json")
    assert (answer.code, answer.data["rank"]) == (0, 1)
    assert not (trained / "models/model.ts").exists()
