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


def own_script(bench: Bench, name: str, text: str) -> None:
    """Put a script into the archive, worded as those of old archives."""
    path = bench.archive / "commands" / name
    path.write_text(text)
    path.chmod(0o755)


EXPORT = """\
#!/usr/bin/env bash
my_dir="$(dirname "$0")"
. $my_dir/set_env.sh
echo "MMAR_ROOT set to $MMAR_ROOT"
export TF_ENABLE_AUTO_MIXED_PRECISION=0
$PYTHON -u -m nvmidl.apps.export \\
    --model_file_format CKPT \\
    --model_file_path "${MMAR_ROOT}/models" \\
    --model_name "model" \\
    --input_node_names "NV_MODEL_INPUT" \\
    --output_node_names NV_MODEL_OUTPUT \\
    --trt_min_seg_size 50 \\
"""

EXPORT_TO_TRITON = (
    EXPORT.rstrip()
    + """
    --trtis_export \\
    --trtis_model_name abdomen \\
    --trtis_input_shape "1 32 32 32"
mkdir -p "$MMAR_ROOT/Triton/1"
mv "$MMAR_ROOT/models/model.trt.pb" "$MMAR_ROOT/Triton/1/"
mv "$MMAR_ROOT/models/config.pbtxt" "$MMAR_ROOT/Triton/"
"""
)


def test_export_and_then_evaluation_by_the_exported_name(bench: Bench) -> None:
    own_script(bench, "export.sh", EXPORT)
    exported = script(bench, "export.sh")
    assert exported.code == 0, exported.err
    assert {path.name for path in bench.models.glob("model.*.pb")} == {"model.fzn.pb", "model.trt.pb"}

    config = bench.read(VALIDATION)
    config["model_loader"] = {
        "name": "FrozenGraphModelLoader",
        "args": {"model_file_path": "{MMAR_CKPT_DIR}/model.trt.pb"},
    }
    bench.write(VALIDATION, config)
    judged = script(bench, "validate.sh")
    assert judged.code == 0, judged.err
    assert (bench.archive / "eval" / "metrics.json").is_file()


def test_export_to_triton_moves_the_files_it_expects(bench: Bench) -> None:
    own_script(bench, "export2Triton.sh", EXPORT_TO_TRITON)
    exported = script(bench, "export2Triton.sh", cwd=bench.archive)
    assert exported.code == 0, exported.err
    config = (bench.archive / "Triton" / "config.pbtxt").read_text()
    (file,) = (bench.archive / "Triton" / "1").iterdir()
    assert f'default_model_filename: "{file.name}"' in config
    assert (bench.models / "triton" / "abdomen" / "1" / "model.pt").read_bytes() == file.read_bytes()
    assert script(bench, "validate.sh").code == 0


def test_dataconvert_as_a_module(bench: Bench) -> None:
    start: list[str | Path] = [sys.executable, "-m", "nvmidl.apps.convert_medical_image"]
    out = bench.root / "converted"
    answer = run([*start, "-d", bench.root, "-r", "4", "-s", ".nii.gz", "-e", ".nii.gz", "-o", out], bench.root)
    assert answer.code == 0, answer.err
    assert len(list(out.rglob("*.nii.gz"))) >= 6
