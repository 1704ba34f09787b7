"""The Python face: every verb in a few lines, and the reports as plain data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vesalia
from tests.tiny_archive import read_config, write_config
from tests.training.fakes import Ears
from vesalia.api import CheckReport, as_texts
from vesalia.errors import ArchiveError, CheckpointError, ConfigError, DataError, Fault, Interrupted, ResourceError
from vesalia.mmar.overrides import typed
from vesalia.mmar.validate import is_evaluation
from vesalia.runtime.interrupts import StopRequest


class TestOverrides:
    def test_a_mapping_becomes_texts(self) -> None:
        given_ = {"epochs": 3, "use_amp": True, "MMAR_CKPT": Path("a/b"), "learning_rate": 1e-5, "multi_gpu": False}
        assert as_texts(given_) == [
            "epochs=3",
            "use_amp=true",
            "MMAR_CKPT=a/b",
            "learning_rate=1e-05",
            "multi_gpu=false",
        ]

    def test_none_means_not_set(self) -> None:
        assert as_texts({"MMAR_CKPT": None}) == ["MMAR_CKPT="]

    def test_texts_stay_as_they_are(self) -> None:
        assert as_texts(["a=1", "b=x=y"]) == ["a=1", "b=x=y"]
        assert as_texts(()) == []

    @given(st.one_of(st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False)))
    def test_numbers_come_back_as_they_went(self, value: float) -> None:
        (text,) = as_texts({"KEY": value})
        assert typed(text.partition("=")[2]) == value


class TestOpening:
    def test_a_folder_that_is_no_archive(self, tmp_path: Path) -> None:
        with pytest.raises(ArchiveError):
            vesalia.Archive(tmp_path / "gone")

    @pytest.mark.parametrize("kind", [str, Path])
    def test_text_and_path_are_the_same(self, archive: Path, kind: type) -> None:
        assert vesalia.Archive(kind(archive)).root == archive


class TestChecking:
    def test_both_configs_of_a_sound_archive(self, archive: Path) -> None:
        report = vesalia.Archive(archive).check()
        assert report.ok
        assert [Path(name).name for name in report.configs] == ["config_train.json", "config_validation.json"]
        assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["ok"] is True

    def test_the_faults_of_both_configs_come_together(self, archive: Path) -> None:
        for name, key in (("config_train.json", "epochs"), ("config_validation.json", "batch_size")):
            config = read_config(archive, name)
            config[key] = "many"
            write_config(archive, config, name)
        with pytest.raises(ConfigError) as caught:
            vesalia.Archive(archive).check()
        assert [fault.key for fault in caught.value.faults] == ["epochs", "batch_size"]

    def test_an_archive_without_a_validation_config(self, archive: Path) -> None:
        (archive / "config" / "config_validation.json").unlink()
        assert [Path(name).name for name in vesalia.Archive(archive).check().configs] == ["config_train.json"]

    def test_an_archive_without_any_config(self, archive: Path) -> None:
        for name in ("config_train.json", "config_validation.json"):
            (archive / "config" / name).unlink()
        with pytest.raises(ConfigError, match=r"config_train\.json"):
            vesalia.Archive(archive).check()

    def test_progress_is_told(self, archive: Path) -> None:
        told: list[tuple[int, int]] = []
        vesalia.Archive(archive).check(progress=lambda done, total: told.append((done, total)))
        assert told
        assert told[-1][0] == told[-1][1]

    def test_faults_of_the_config_are_raised_all_at_once(self, archive: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            vesalia.Archive(archive).check(overrides={"epochs": 0, "learning_rate": -1})
        assert len(caught.value.faults) == 2

    def test_a_report_is_ok_without_faults(self) -> None:
        fault = Fault("a", "b", "c", "d")
        assert CheckReport(Path("x"), ()).ok
        assert not CheckReport(Path("x"), (), faults=(fault,)).ok
        assert CheckReport(Path("x"), (), warnings=(fault,)).to_dict()["warnings"] == [fault.to_dict()]

    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ('{"train": {}}', False),
            ('{"val_metrics": [], "DATA_LIST_KEY": "train"}', True),
            ("{", False),
            ("[]", False),
        ],
    )
    def test_which_kind_of_config_a_file_is(self, tmp_path: Path, text: str, *, answer: bool) -> None:
        (tmp_path / "config.json").write_text(text)
        assert is_evaluation(tmp_path / "config.json") is answer
        assert is_evaluation(tmp_path / "gone.json") is False


class TestTraining:
    def test_it_trains_and_tells_its_listener(self, archive: Path) -> None:
        ears = Ears()
        result = vesalia.Archive(archive).train(overrides={"epochs": 1}, seed=3, device="cpu", listener=ears)
        assert (result.epochs, result.seed) == (1, 3)
        assert ears.of("started")
        assert ears.of("closed") == [None]

    def test_a_budget_counts_from_where_it_is_told(self, archive: Path) -> None:
        with pytest.raises(ResourceError, match="--budget"):
            vesalia.Archive(archive).train(budget_s=60, budget_from=time.time() - 60, device="cpu")

    def test_data_that_is_not_ready_is_told_before_anything_is_written(self, archive: Path, balls: Path) -> None:
        listed = json.loads(balls.read_text())
        listed["training"][2]["label"] = listed["training"][2]["image"]
        (archive / "config" / "dataset.json").write_text(json.dumps(listed))
        overrides = {"DATASET_JSON": "config/dataset.json", "DATA_ROOT": balls.parent}
        with pytest.raises(DataError, match="the data is not ready to train on") as caught:
            vesalia.Archive(archive).train(overrides=overrides, device="cpu")
        assert caught.value.faults
        assert list((archive / "models").iterdir()) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_request_to_stop_while_the_data_is_looked_at(self, archive: Path, number: signal.Signals) -> None:
        ears, stop = Ears(), StopRequest()
        stop.signal_number = number
        with pytest.raises(Interrupted, match=r"stopped with 1 of \d+ files looked at; nothing was written") as caught:
            vesalia.Archive(archive).train(device="cpu", listener=ears, stop=stop)
        assert caught.value.exit_code == 128 + number
        assert not ears.heard
        assert list((archive / "models").iterdir()) == []

    def test_warnings_reach_the_listener(self, archive: Path) -> None:
        config = read_config(archive)
        config["search"] = []
        config["surprise"] = 1
        write_config(archive, config)
        ears = Ears()
        vesalia.Archive(archive).train(overrides={"epochs": 1}, device="cpu", listener=ears)
        assert any("surprise" in text for text in ears.of("warned"))

    def test_it_is_safe_under_the_spawn_start_method(self, archive: Path) -> None:
        code = (
            "import multiprocessing, vesalia\n"
            "def work(root):\n"
            "    print(vesalia.Archive(root).train(overrides={'epochs': 1}, seed=1, device='cpu').steps, flush=True)\n"
            "if __name__ == '__main__':\n"
            f"    process = multiprocessing.get_context('spawn').Process(target=work, args=({str(archive)!r},))\n"
            "    process.start(); process.join(); raise SystemExit(process.exitcode)\n"
        )
        script = archive / "spawned.py"
        script.write_text(code)
        answer = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
        assert (answer.returncode, answer.stdout.strip()) == (0, "2"), answer.stderr


class TestUsing:
    def test_evaluating(self, trained: Path) -> None:
        told: list[tuple[int, int]] = []
        result = vesalia.Archive(trained).evaluate(
            device="cpu", progress=lambda done, total: told.append((done, total))
        )
        assert result.metrics["mean_dice"].overall.count == 2
        assert told[-1] == (2, 2)
        assert (trained / "eval") in result.files["report"].parents

    def test_the_training_s_own_score_is_the_evaluation_s(self, trained: Path) -> None:
        """The same cases, the same network, two roads."""
        archive = vesalia.Archive(trained)
        card = json.loads((trained / "models" / "model.json").read_text())
        found = archive.evaluate(device="cpu").metrics["mean_dice"].overall.mean
        assert found == pytest.approx(card["metric"]["value"], abs=1e-6)

    def test_inferring_one_image(self, trained: Path, balls: Path, tmp_path: Path) -> None:
        image = balls.parent / "imagesTr" / "case_4.nii.gz"
        result = vesalia.Archive(trained).infer(image, output=tmp_path / "out", device="cpu")
        (case,) = result.cases
        (written,) = case.files
        assert written.is_relative_to(tmp_path / "out")

    def test_predicting_in_memory_writes_nothing(self, trained: Path, balls: Path) -> None:
        path = balls.parent / "imagesTr" / "case_4.nii.gz"
        image = nib.Nifti1Image.from_filename(path)
        before = sorted(trained.rglob("*"))
        archive = vesalia.Archive(trained)
        from_file = archive.predict(path, device="cpu")
        from_array = archive.predict(np.asarray(image.dataobj), affine=image.affine, device="cpu")
        assert from_file.spatial_shape == image.shape
        np.testing.assert_array_equal(from_file.data, from_array.data)
        np.testing.assert_array_equal(from_file.placed, image.affine)
        assert sorted(trained.rglob("*")) == before

    def test_predicting_warns_of_what_is_odd(self, trained: Path, balls: Path) -> None:
        path = trained / "config" / "config_validation.json"
        config = {**json.loads(path.read_text()), "zzz": 1, "writers": []}
        path.write_text(json.dumps(config))
        with pytest.warns(UserWarning, match="a key that nothing reads") as told:
            vesalia.Archive(trained).predict(balls.parent / "imagesTr" / "case_5.nii.gz", device="cpu")
        assert [str(warning.message).split(": ")[1] for warning in told] == ["zzz"]

    def test_whether_to_judge_is_the_config_s_word(self, archive: Path) -> None:
        face = vesalia.Archive(archive)
        assert face.judges()
        assert not face.judges(overrides={"do_validation": False, "output_infer_result": True})

    def test_without_weights_it_says_so(self, archive: Path) -> None:
        with pytest.raises(CheckpointError, match="vesalia train"):
            vesalia.Archive(archive).evaluate(device="cpu")
