"""``examples/bring_your_own`` through the command line, and what goes wrong with code that an archive brings."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.workbench import TRAIN, VALIDATION, Answer, Bench, in_process

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "bring_your_own"
SHORT = ["--set", "epochs=2", "--set", "num_training_epoch_per_valid=1"]
ALLOWED = "--allow-custom-code"
V3_METRIC = """\
import numpy as np
from ai4med.components.metrics.metric import Metric
from ai4med.libs.metrics.metric_list import MetricList


class Agreement(Metric):
    def __init__(self, name, field="model", label_field="label"):
        super().__init__(name)
        self.field, self.label_field = field, label_field
        self.values = MetricList(name)

    def update(self, ctx):
        model = ctx.get_image(self.field)
        data = model.get_data()
        found = data.argmax(model.get_shape_format().get_channel_axis()) if len(data) > 1 else data[0]
        self.values.add("", np.mean(found == ctx.get_image(self.label_field).get_data()[0]))

    def get(self):
        return self.values.average()

    def reset(self):
        self.values.reset()
"""


@pytest.fixture(scope="session")
def sound_example(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The example with its data; nobody changes it."""
    if not EXAMPLE.is_dir():
        pytest.skip("the examples are not here: tests are run from an installed package")
    root = tmp_path_factory.mktemp("bring_your_own")
    shutil.copytree(EXAMPLE, root / "archive", ignore=shutil.ignore_patterns("data", "__pycache__"))
    subprocess.run([sys.executable, root / "archive" / "commands" / "make_data.py"], check=True)
    return Bench(root)


@pytest.fixture
def example(tmp_path: Path, sound_example: Bench) -> Bench:
    """An example of the test's own."""
    return sound_example.copy(tmp_path / "bench")


def train(bench: Bench, *more: str) -> Answer:
    return in_process("train", bench.archive, ALLOWED, "--device", "cpu", *SHORT, *more)


def step(bench: Bench, number: int, **args: Any) -> None:
    """Change the arguments of a training transform."""
    config = bench.read(TRAIN)
    config["train"]["pre_transforms"][number]["args"].update(args)
    bench.write(TRAIN, config)


def test_nothing_of_it_runs_unasked(example: Bench) -> None:
    answer = in_process("train", example.archive, *SHORT)
    assert answer.code == 2
    told = answer.err.splitlines()
    for name in ("numpy_loader", "random_offset", "losses", "networks", "metrics"):
        assert any(f"(custom/{name}.py)" in line and ALLOWED in line for line in told)
    assert not list(example.models.glob("*.safetensors"))


def test_it_is_checked_trained_judged_and_used(example: Bench) -> None:
    checked = in_process("check", example.archive, ALLOWED)
    assert checked.code == 0, checked.err
    trained = in_process("train", example.archive, ALLOWED, "--device", "cpu", "--set", "epochs=20")
    assert trained.code == 0, trained.err
    judged = in_process("evaluate", example.archive, ALLOWED, "--device", "cpu")
    assert judged.code == 0, judged.err
    scores = json.loads((example.archive / "eval" / "metrics.json").read_text())
    assert scores["metrics"]["mean_dice"]["mean"] > 0.8
    used = in_process("infer", example.archive, ALLOWED, "--device", "cpu")
    assert used.code == 0, used.err
    assert len(list((example.archive / "eval").rglob("*.nii.gz"))) == 2


def test_threads_do_not_change_what_old_code_draws(example: Bench) -> None:
    weights = []
    for workers in (0, 3):
        config = example.read(TRAIN)
        config["train"]["image_pipeline"]["args"]["num_workers"] = workers
        example.write(TRAIN, config)
        assert train(example).code == 0
        weights.append((example.models / "model_final.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_a_metric_for_v3_is_one_in_training_and_in_evaluation(example: Bench) -> None:
    (example.archive / "custom" / "agreement.py").write_text(V3_METRIC)
    metric = {"path": "agreement.Agreement", "args": {"name": "agreement"}}
    config = example.read(TRAIN)
    config["validate"]["metrics"].append(metric)
    example.write(TRAIN, config)
    config = example.read(VALIDATION)
    config["val_metrics"].append(metric)
    example.write(VALIDATION, config)
    trained = train(example)
    assert trained.code == 0, trained.err
    assert "agreement" in trained.out + trained.err
    judged = in_process("evaluate", example.archive, ALLOWED, "--device", "cpu")
    assert judged.code == 0, judged.err
    scores = json.loads((example.archive / "eval" / "metrics.json").read_text())
    assert 0 <= scores["metrics"]["agreement"]["mean"] <= 1


def test_an_error_of_its_own_names_class_file_and_line(example: Bench) -> None:
    step(example, 0, shape="HW")
    answer = train(example)
    assert answer.code == 2
    assert "NumpyLoader: found an error of its own code: ValueError" in answer.err
    assert "has 3 axes, not those of HW (custom/numpy_loader.py, line 24)" in answer.err


def test_tensorflow_is_refused_with_file_line_and_page(example: Bench) -> None:
    code = "import os\nimport tensorflow as tf\n\nclass SmallNet: pass\n"
    (example.archive / "custom" / "networks.py").write_text(code)
    answer = in_process("check", example.archive, ALLOWED)
    assert answer.code == 2
    assert "networks.SmallNet, which builds on tensorflow (custom/networks.py, line 2)" in answer.err
    assert "docs/how-to/add-a-model.md" in answer.err


def test_code_in_another_folder_is_named(example: Bench) -> None:
    (example.archive / "code").mkdir()
    (example.archive / "custom" / "random_offset.py").rename(example.archive / "code" / "random_offset.py")
    answer = in_process("check", example.archive, ALLOWED)
    assert answer.code == 2
    assert "copy code/random_offset.py and what it imports into custom/" in answer.err
