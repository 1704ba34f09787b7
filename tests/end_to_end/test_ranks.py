"""Several processes train one network: as one process with as large a batch would, and they end together."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests import tiny_classification
from tests.end_to_end.ranks_at_work import PATIENCE_S, Rank, launched, train_together
from tests.tiny_archive import make_archive, read_config, write_config
from vesalia.api import Archive
from vesalia.training.state import read_counters

pytestmark = pytest.mark.slow

_ENDED_S = 120.0
"""The machine of the tests may be busy; what is measured takes a second or two."""


def plain(config: dict[str, Any], batch: int) -> None:
    """Items one by one; the epoch's four do not divide by three."""
    config["train"]["image_pipeline"]["args"]["output_batch_size"] = batch


def crops_of_volumes(config: dict[str, Any], batch: int) -> None:
    """Batch by transform: two crops of a volume; of several volumes where batches are merged."""
    crop = {"fields": ["image", "label"], "size": [8, 8, 8], "pos": 1, "neg": 1, "batch_size": 2}
    train = config["train"]
    train["pre_transforms"][3] = {"name": "CropByPosNegRatio", "args": crop}
    if batch == 1:
        train["image_pipeline"]["args"].update(batched_by_transforms=True, output_batch_size=0)
    else:
        train["batch_transforms"] = [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]
        train["image_pipeline"]["args"]["output_batch_size"] = batch


def cached_crops(config: dict[str, Any], batch: int) -> None:
    """Batch by transform as v3 has it, from a moving cache of three items."""
    crops_of_volumes(config, batch)
    train = config["train"]
    train["batch_transforms"] = [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]
    train["image_pipeline"]["name"] = "SegmentationImagePipelineWithCache"
    train["image_pipeline"]["args"].update(
        batched_by_transforms=False, output_batch_size=batch, num_cache_objects=3, replace_percent=0.34
    )


def accumulated(config: dict[str, Any], batch: int) -> None:
    """Updates of two batches."""
    plain(config, batch)
    config.update(num_batches_per_update=2, max_gradient_norm=1.0, ema_decay=0.9)


Change = Callable[[dict[str, Any], int], None]


@pytest.fixture
def prepared(tmp_path: Path, balls: Path) -> Callable[..., Path]:
    """Makes an archive for one process with a batch of ``batch``; dropout would throw other dice on each rank.

    Adam divides a gradient by its own size: with its usual epsilon, gradients that are nothing but rounding move a
    weight as far as others do. A larger one leaves the rounding small (1e-7 here) and shows what ranks do differently.
    """

    def make(name: str, batch: int, change: Change = plain, **settings: Any) -> Path:
        root = make_archive(tmp_path / name / "archive", balls)
        config = read_config(root)
        config.update({"multi_gpu": True, "num_training_epoch_per_valid": 1, "learning_rate": 1e-3, **settings})
        config["train"]["model"]["args"]["dropout_prob"] = 0.0
        config["train"]["optimizer"]["args"] = {"epsilon": 1e-4}
        config["train"]["aux_ops"] = [{"name": "ComputeDice", "args": {"tag": "dice"}}]
        change(config, batch)
        write_config(root, config)
        return root

    return make


def history(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "models" / "history.jsonl").read_text().splitlines()]


def weights(root: Path, name: str = "model_final") -> dict[str, torch.Tensor]:
    return load_file(root / "models" / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("world", "change", "launcher"),
    [
        (2, plain, "mpirun"),
        (3, plain, "torchrun"),
        (2, crops_of_volumes, "srun"),
        (3, cached_crops, "torchrun"),
        (2, accumulated, "mpirun"),
    ],
)
def test_they_train_as_one_with_as_large_a_batch(
    prepared: Callable[..., Path], world: int, change: Change, launcher: str
) -> None:
    one, several = prepared("one", world, change), prepared("several", 1, change)
    Archive(one).train(seed=1, device="cpu")
    ranks = train_together(several, world, "--json", launcher=launcher)
    assert json.loads(ranks[0].out.splitlines()[-1])["epochs"] == 4
    assert [rank.out for rank in ranks[1:]] == [""] * (world - 1)
    for name, tensor in weights(one).items():
        torch.testing.assert_close(weights(several)[name], tensor, rtol=0, atol=1e-6)
    assert len(history(one)) == len(history(several)) == 8
    for mine, theirs in zip(history(one), history(several), strict=True):
        if mine["kind"] == "validation":
            assert (theirs["metrics"], theirs["per_class"]) == (mine["metrics"], mine["per_class"])
            assert theirs["cases"] == mine["cases"] == 2
        else:
            assert theirs["loss"] == pytest.approx(mine["loss"], abs=1e-5)
            assert theirs["values"] == pytest.approx(mine["values"], abs=1e-5)


def test_an_area_over_all_subjects_is_that_of_one_process(tmp_path: Path) -> None:
    """Five radiographs for three ranks: no rank's own two, or one, have the area of all."""
    data = tiny_classification.make_data(tmp_path / "data", cases=20)
    roots = []
    for name, batch in (("one", 6), ("several", 2)):
        config = tiny_classification.train_config() | {"epochs": 3, "multi_gpu": True}
        config["train"]["image_pipeline"]["args"]["output_batch_size"] = batch
        roots.append(tiny_classification.make_archive(tmp_path / name / "archive", data, train=config))
    Archive(roots[0]).train(seed=1, device="cpu")
    train_together(roots[1], 3)
    alone, together = ([entry for entry in history(root) if entry["kind"] == "validation"] for root in roots)
    assert len(alone) == 3
    for mine, theirs in zip(alone, together, strict=True):
        assert theirs["cases"] == mine["cases"] == 5
        assert theirs["key_metric"] == "Average_AUC"
        assert (theirs["metrics"], theirs["per_class"]) == (mine["metrics"], mine["per_class"])


def test_the_same_again_is_the_same_to_the_bit_also_with_dropout_and_batch_statistics(
    prepared: Callable[..., Path],
) -> None:
    roots = []
    for name in ("first", "second"):
        root = prepared(name, 1)
        config = read_config(root)
        config["train"]["model"]["args"]["dropout_prob"] = 0.3
        del config["train"]["model"]["args"]["use_group_normG"]
        write_config(root, config)
        train_together(root, 2)
        roots.append(root)
    for name in ("model", "model_final"):
        assert all(torch.equal(value, weights(roots[1], name)[key]) for key, value in weights(roots[0], name).items())


def wait_for(ranks: list[Rank], root: Path, epochs: int) -> None:
    """Wait until so many epochs are over."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        gone = [rank for rank in ranks if rank.process.exitcode is not None]
        assert not gone, gone[0].out + gone[0].err
        if (root / "models" / "history.jsonl").exists() and len(history(root)) >= 2 * epochs:
            return
        time.sleep(0.01)
    pytest.fail("they never began to train")


def endless(root: Path) -> list[str]:
    return ["train", str(root), "--seed", "1", "--device", "cpu", "--json", "--set", "epochs=100000"]


@pytest.mark.parametrize("killed", [0, 1])
def test_one_that_is_killed_ends_the_others_in_words(prepared: Callable[..., Path], killed: int) -> None:
    root = prepared("archive", 1)
    with launched(root.parent, 3, *endless(root)) as ranks:
        wait_for(ranks, root, 2)
        os.kill(ranks[killed].process.pid or 0, signal.SIGKILL)
        began = time.monotonic()
        codes = [rank.code() for rank in ranks]
        assert time.monotonic() - began < _ENDED_S
    tells = ranks[1 if killed == 0 else 0]
    said = "\n".join(rank.err for rank in ranks)
    assert codes == [-signal.SIGKILL if rank == killed else 2 for rank in range(3)], said
    assert f"found that rank {killed} ended without a word" in tells.err
    assert "go on with --resume" in tells.err
    others = [rank for rank in ranks if rank not in (tells, ranks[killed])]
    assert [rank.err for rank in others] == [""]


def test_a_request_to_stop_reaches_all_and_another_number_of_ranks_goes_on(prepared: Callable[..., Path]) -> None:
    root = prepared("archive", 1)
    with launched(root.parent, 3, *endless(root)) as ranks:
        wait_for(ranks, root, 2)
        os.kill(ranks[2].process.pid or 0, signal.SIGTERM)
        assert [rank.code() for rank in ranks] == [143] * 3
    assert json.loads(ranks[0].out.splitlines()[-1])["error"] == "Interrupted"
    assert [rank.out + rank.err for rank in ranks[1:]] == ["", ""]
    stored = read_counters(root / "models")
    assert stored is not None
    epochs = stored.epoch + 2
    train_together(root, 2, "--resume", "--set", f"epochs={epochs}")
    lines = history(root)
    assert [line["epoch"] for line in lines if line["kind"] == "epoch"] == list(range(1, epochs + 1))
    finished = read_counters(root / "models")
    assert finished is not None
    assert (finished.finished, finished.epoch) == (True, epochs + 1)


def test_what_goes_wrong_on_one_is_told_once(prepared: Callable[..., Path], tmp_path: Path) -> None:
    root = prepared("archive", 1)
    missing = ["--set", f"DATA_ROOT={tmp_path / 'nowhere'}"]
    with launched(root.parent, 3, *endless(root), only={1: missing}) as ranks:
        assert [rank.code() for rank in ranks] == [2, 2, 2]
    answer = json.loads(ranks[0].out.splitlines()[-1])
    assert answer["exit_code"] == 2
    assert answer["message"].startswith("rank 1: ")
    assert "nowhere" in ranks[0].err
    assert [rank.out + rank.err for rank in ranks[1:]] == ["", ""]


def test_a_mistake_in_the_config_is_told_once(prepared: Callable[..., Path]) -> None:
    root = prepared("archive", 1)
    with launched(root.parent, 2, *endless(root), "--set", "learning_rate=-1") as ranks:
        assert [rank.code() for rank in ranks] == [2, 2]
    assert "learning_rate" in ranks[0].err
    assert ranks[1].out + ranks[1].err == ""


def test_without_multi_gpu_the_first_trains_alone(prepared: Callable[..., Path]) -> None:
    root = prepared("archive", 1, multi_gpu=False)
    ranks = train_together(root, 2, "--set", "epochs=1")
    assert "rank 0 does the work" in ranks[1].err
    assert len(history(root)) == 2


def test_a_killed_run_of_several_ends_as_if_nothing_had_been(prepared: Callable[..., Path]) -> None:
    whole = prepared("whole", 1, seconds_between_states=0.0001)
    train_together(whole, 2)
    killed = shutil.copytree(prepared("killed", 1, seconds_between_states=0.0001), whole.parent / "killed")
    command = ["train", str(killed), "--seed", "1", "--device", "cpu"]
    with launched(killed.parent, 2, *command) as ranks:
        wait_for(ranks, killed, 2)
        for rank in ranks:
            rank.process.kill()
    train_together(killed, 2, "--resume")
    assert all(torch.equal(value, weights(killed)[name]) for name, value in weights(whole).items())
