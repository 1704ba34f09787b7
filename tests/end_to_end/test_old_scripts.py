"""The scripts of an archive and the module names of v3 run as they are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nvmidl.apps.evaluate import main as evaluate
from nvmidl.apps.train import main as train
from tests.end_to_end.workbench import ENVIRONMENT, TRAIN, VALIDATION, Answer, Bench, in_process, process_environment
from vesalia.inference.weights import load_weights

pytestmark = pytest.mark.slow

SETTINGS = ["epochs=1", "num_training_epoch_per_valid=1"]


def run(command: list[str | Path], cwd: Path) -> Answer:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd, env=process_environment()
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def script(bench: Bench, name: str, *arguments: str, cwd: Path | None = None) -> Answer:
    """A script of the archive, with the Python of these tests in ``PYTHON``."""
    return run([bench.archive / "commands" / name, *arguments], cwd or bench.root)


def old_arguments(bench: Bench, config: str, *more: str) -> list[str]:
    return ["-m", str(bench.archive), "-c", config, "-e", ENVIRONMENT, *more]


def test_train_judge_and_predict_with_the_archives_own_scripts(untrained: Bench) -> None:
    trained = script(untrained, "train.sh", *SETTINGS)
    assert trained.code == 0, trained.err
    assert "best: mean_dice" in trained.out
    assert load_weights(untrained.models / "model").card["epoch"] == 1

    judged = script(untrained, "validate.sh", "DATA_LIST_KEY=training")
    assert judged.code == 0, judged.err
    assert "over 4 subjects" in judged.out
    assert (untrained.archive / "eval" / "report.html").is_file()
    assert not list((untrained.archive / "eval").rglob("*.nii.gz"))

    predicted = script(untrained, "infer.sh")
    assert predicted.code == 0, predicted.err
    assert sorted(path.parent.name for path in (untrained.archive / "eval").rglob("*.nii.gz")) == [
        "abdomen_005",
        "abdomen_006",
    ]


def test_going_on_from_the_best_weights(bench: Bench) -> None:
    tuned = script(bench, "train_finetune.sh", *SETTINGS, "learning_rate=1e-4", cwd=bench.archive)
    assert tuned.code == 0, tuned.err
    assert "loaded 23 of 23 tensors" in tuned.out
    assert (bench.models / "previous").is_dir()  # what was there is kept


def test_a_mistake_reaches_the_shell(bench: Bench) -> None:
    answer = script(bench, "train.sh", "epohcs=1")
    assert answer.code == 2
    assert "epochs (did you mean this?)" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("tail", [[], ["--set", *SETTINGS], ["--write_train_stats", "--set", "epochs=1"]])
def test_the_training_of_v3_with_and_without_settings(untrained: Bench, tail: list[str]) -> None:
    answer = in_process(*old_arguments(untrained, TRAIN, *tail), command=train)
    assert answer.code == 0, answer.err
    epochs = 1 if "epochs=1" in tail else 2
    assert load_weights(untrained.models / "model_final").card["epoch"] == epochs


def test_the_module_of_v3_with_an_empty_set(untrained: Bench) -> None:
    start: list[str | Path] = [sys.executable, "-m", "nvmidl.apps.train"]
    answer = run([*start, *old_arguments(untrained, TRAIN, "--json", "--set")], untrained.root)
    assert answer.code == 0, answer.err
    assert answer.data["epochs"] == 2


@pytest.mark.parametrize(
    ("settings", "judges", "writes"),
    [
        ([], True, False),
        (["do_validation=true", "output_infer_result=false"], True, False),
        (["do_validation=true", "output_infer_result=true"], True, True),
        (["do_validation=false", "output_infer_result=true"], False, True),
    ],
)
def test_the_evaluation_of_v3_judges_and_writes_as_told(
    bench: Bench, settings: list[str], judges: bool, writes: bool
) -> None:
    answer = in_process(*old_arguments(bench, VALIDATION, "--set", *settings), command=evaluate)
    assert answer.code == 0, answer.err
    results = bench.archive / "eval"
    assert (results / "metrics.json").is_file() is judges
    assert bool(list(results.rglob("*.nii.gz"))) is writes
