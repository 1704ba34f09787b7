"""What can go wrong before and in a training: a second one, too little memory or time, data that cannot be read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
import torch

from tests.training.fakes import Ears
from tests.training.fitting import StopAfter, cached, change, train
from vesalia.components.models.segresnet import SegResnet
from vesalia.errors import ConfigError, DataError, Interrupted, ResourceError
from vesalia.training.listener import Listener, RunStart


class Second(Listener):
    """Starts another training in the same run folder once the first one is under way."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.refusals: list[str] = []

    def started(self, report: RunStart) -> None:
        for resume in (False, True):
            with pytest.raises(ResourceError) as refused:
                train(self.archive, "epochs=1", resume=resume)
            self.refusals.append(str(refused.value))


class TestTwoTrainings:
    def test_the_second_is_refused_in_words_and_the_first_goes_on(self, archive: Path, trained_once: Path) -> None:
        second = Second(archive)
        result = train(archive, listener=second)
        assert len(second.refusals) == 2
        for said in second.refusals:
            assert f"{archive / 'models'}: found that another training writes there" in said
            assert "write another MMAR_CKPT_DIR, or wait for the other to end" in said
        assert result.last_model.read_bytes() == (trained_once / "models" / "model_final.safetensors").read_bytes()
        assert not (archive / "models" / "previous").exists()

    def test_the_lock_is_gone_afterwards_however_the_first_ended(self, archive: Path) -> None:
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(1))
        assert not list((archive / "models").glob(".*"))
        train(archive, resume=True)
        assert not list((archive / "models").glob(".*"))

    def test_run_folders_of_their_own_do_not_meet(self, archive: Path) -> None:
        class Elsewhere(Listener):
            def started(self, report: RunStart) -> None:
                train(archive, "epochs=1", "MMAR_CKPT_DIR=other")

        assert train(archive, "epochs=1", listener=Elsewhere()).run_folder == archive / "models"
        assert (archive / "other" / "model.safetensors").exists()


class StopWhileFilling(Listener):
    """Sends Ctrl-C when the first item is in the cache."""

    def filling(self, done: int, total: int) -> None:
        if done == 1:
            signal.raise_signal(signal.SIGINT)


class TestTrouble:
    def test_ctrl_c_while_the_cache_is_filled_need_not_wait_and_writes_nothing(self, archive: Path) -> None:
        change(archive, cached)
        with pytest.raises(Interrupted, match="while the cache was being filled; the run's files are as they were"):
            train(archive, listener=StopWhileFilling())
        assert list((archive / "models").iterdir()) == []

    def test_a_budget_that_is_over_while_the_cache_is_filled_says_so(self, trained: Path) -> None:
        change(trained, cached)
        before = {path.name for path in (trained / "models").iterdir()}
        ears = Ears()
        said = (
            r"--budget: found that it was over with \d of 4 items in the cache, .* write a larger budget, or a smaller"
        )
        with pytest.raises(ResourceError, match=said):
            train(trained, deadline=time.time() - 60, listener=ears)
        assert ears.of("closed") == [None]
        assert len(ears.of("filling")) == 1
        assert {path.name for path in (trained / "models").iterdir()} == before

    def test_the_listener_is_told_of_the_end_once_when_the_cache_cannot_be_filled(
        self, archive: Path, tmp_path: Path, balls: Path
    ) -> None:
        change(archive, cached)
        listed = json.loads(balls.read_text())
        (tmp_path / "torn.nii.gz").write_bytes((balls.parent / listed["training"][1]["image"]).read_bytes()[:200])
        listed["training"][1]["image"] = str(tmp_path / "torn.nii.gz")
        (tmp_path / "dataset.json").write_text(json.dumps(listed))
        ears = Ears()
        with pytest.raises(DataError, match=r"torn\.nii\.gz"):
            train(archive, f"DATASET_JSON={tmp_path / 'dataset.json'}", listener=ears)
        assert ears.of("closed") == [None]
        assert not ears.of("started")
        assert list((archive / "models").iterdir()) == []

    @pytest.mark.parametrize(
        "error",
        [
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.\nMore lines"),
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            MemoryError(),
        ],
    )
    @pytest.mark.parametrize("call", [1, 4, 5])
    def test_too_little_memory_is_told_with_what_to_write(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, call: int
    ) -> None:
        """In the first step, in a later one, and while validating."""
        calls, logits = [0], SegResnet.logits

        def hungry(model: SegResnet, image: torch.Tensor) -> torch.Tensor:
            calls[0] += 1
            if calls[0] == call:
                raise error
            return logits(model, image)

        monkeypatch.setattr(SegResnet, "logits", hungry)
        ears = Ears()
        said = (
            r"training: found too little memory on cpu at step \d \(.*; (needed .*, )?had .*B\), "
            r"expected room for a batch; write a smaller output_batch_size or crop, use_amp"
        )
        with pytest.raises(ResourceError, match=said) as caught:
            train(archive, listener=ears)
        assert caught.value.__cause__ is error
        assert "\n" not in str(caught.value)
        assert ears.of("closed") == [None]

    def test_another_error_of_the_network_is_not_taken_for_it(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> torch.Tensor:
            raise RuntimeError("shapes do not fit")

        monkeypatch.setattr(SegResnet, "logits", broken)
        with pytest.raises(RuntimeError, match="shapes do not fit") as caught:
            train(archive)
        assert not isinstance(caught.value, ResourceError)

    def test_several_gpus_asked_for_is_told(self, archive: Path) -> None:
        assert any("multi_gpu" in note for note in train(archive, "epochs=1", "multi_gpu=true").notes)

    def test_a_device_that_is_not_there(self, archive: Path) -> None:
        with pytest.raises(ConfigError, match="--device: found 'tpu'"):
            train(archive, device="tpu")

    def test_an_image_that_is_gone_is_named_and_nothing_is_written(
        self, archive: Path, tmp_path: Path, balls: Path
    ) -> None:
        listed = json.loads(balls.read_text())
        listed["training"][1]["image"] = "imagesTr/gone.nii.gz"
        (tmp_path / "dataset.json").write_text(json.dumps(listed))
        with pytest.raises((DataError, ConfigError), match=r"gone\.nii\.gz"):
            train(archive, f"DATASET_JSON={tmp_path / 'dataset.json'}")
        assert list((archive / "models").iterdir()) == []
