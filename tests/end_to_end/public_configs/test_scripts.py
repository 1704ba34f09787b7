"""What the scripts of the public archives do around a training."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nvmidl.apps.train import main as train
from tests.end_to_end.public_configs.archives import build, data_settings, public
from tests.end_to_end.public_configs.reduction import reduced
from tests.end_to_end.workbench import in_process

pytestmark = pytest.mark.slow


def test_a_config_by_name_into_a_folder_of_its_own_with_a_copy_of_it(
    tmp_path: Path, dataset: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``train_W_Config.sh`` makes the folder anew, copies the config there, and names the folder from the root."""
    one = public("Performance/config/trn_BT_cache")
    root = build(tmp_path / "mmar", one, reduced(one))
    (root / "config" / "config_train.json").rename(root / "config" / "trn_BT_cache.json")
    models = root / "models" / "trn_BT_cache"
    models.mkdir()
    shutil.copy(root / "config" / "trn_BT_cache.json", models)
    monkeypatch.chdir(root / "config")
    where = ["-m", root, "-c", "config/trn_BT_cache.json", "-e", "config/environment.json", "--write_train_stats"]
    settings = [*data_settings(dataset(one.data)), "MMAR_CKPT_DIR=models/trn_BT_cache", "multi_gpu=false"]
    answer = in_process(*where, "--set", *settings, command=train)
    assert answer.code == 0, answer.err
    assert {"trn_BT_cache.json", "model.safetensors", "model_final.safetensors"} <= {
        path.name for path in models.iterdir()
    }


def test_fine_tuning_starts_from_weights_of_ours_and_needs_no_weights_of_image_net(
    tmp_path: Path, dataset: Callable[[str], Path]
) -> None:
    one = public("GettingStarted/trn_base")
    root = build(tmp_path / "mmar", one, reduced(one))
    where = ["-m", root, "-c", "config/config_train.json", "-e", "config/environment.json"]
    settings = data_settings(dataset(one.data))
    assert in_process(*where, "--set", *settings, command=train).code == 0
    again = [*settings, f"MMAR_CKPT={root}/models/model.ckpt", "PRETRAIN_WEIGHTS_FILE=", "MMAR_CKPT_DIR=models/tuned"]
    answer = in_process(*where, "--set", *again, command=train)
    assert answer.code == 0, answer.err
    assert "model.safetensors: loaded" in answer.out + answer.err
