"""The four public archives that cannot run as published: each is told what is wrong with it, and what to do."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Answer, call
from tests.end_to_end.public_configs.archives import build, data_settings, public
from tests.end_to_end.public_configs.automl import base as automl_base
from tests.end_to_end.public_configs.getting_started import ENVIRONMENT, byoc_base
from tests.end_to_end.public_configs.performance import demo
from tests.end_to_end.public_configs.pieces import Config, PublicConfig, component, crop_fast, merge, pipeline

CONFIG = "config/config_train.json"

TF_MODEL = '''"""A network as TensorFlow graphs were written."""

import tensorflow as tf
from ai4med.components.models.model import Model


class CustomNetwork(Model):
    def __init__(self, num_classes, factor=8, training=False, data_format="channels_first", final_activation="linear"):
        Model.__init__(self)
        self.num_classes = num_classes

    def get_predictions(self, inputs, training, build_ctx=None):
        return tf.layers.conv3d(inputs, self.num_classes, 3)

    def get_loss(self):
        return 0
'''
TF_LOSS = '''"""A loss as TensorFlow graphs were written."""

import tensorflow as tf
from ai4med.components.losses.loss import Loss


class MyDice(Loss):
    def __init__(self, data_format="channels_first", skip_background=False, squared_pred=False):
        Loss.__init__(self)

    def get_loss(self, predictions, targets, build_ctx=None):
        return tf.reduce_mean(predictions)
'''


@pytest.fixture
def said(dataset: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Answer]]:
    """What ``check`` and ``train`` say of an archive; both must leave with the same message and write nothing."""

    def ask(root: Path, *options: object) -> list[Answer]:
        settings = data_settings(dataset("spleen"))
        answers = [call(capsys, verb, root, *options, "--set", *settings) for verb in ("check", "train")]
        assert [answer.code for answer in answers] == [2, 2]
        assert not list((root / "models").iterdir())
        return answers

    return ask


def archive(tmp_path: Path, config: Config, **custom: str) -> Path:
    files = {f"{name}.py": text for name, text in custom.items()}
    return build(tmp_path / "mmar", PublicConfig("impossible", config, environment=ENVIRONMENT, custom=files))


def test_a_config_that_is_no_json(tmp_path: Path, said: Callable[..., list[Answer]]) -> None:
    """``configDemo/trn1_AMP`` holds ``ture``."""
    config = demo(crop_fast(128, 2), pipeline("training", 128, 2), merged=True, use_batch_norm=True)
    root = archive(tmp_path, config)
    lines = json.dumps(config, indent=4).replace('"use_amp": false', '"use_amp": ture').splitlines()
    number = next(index for index, line in enumerate(lines, 1) if "ture" in line)
    (root / "config" / "trn1_AMP.json").write_text("\n".join(lines))
    for answer in said(root, "-c", "config/trn1_AMP.json"):
        assert f"config/trn1_AMP.json: line {number}" in answer.err
        assert "found ture" in answer.err
        assert "write true" in answer.err


def test_a_class_that_the_repository_does_not_hold(tmp_path: Path, said: Callable[..., list[Answer]]) -> None:
    """``AutoML/trn_autoML_AMP`` names a network of its own by ``path``, and keeps the shipped one as ``__model``."""
    config = automl_base()
    shipped = config["train"].pop("model")
    config["train"]["model"] = {"path": "CustomArch.SegResnet", "args": shipped["args"]}
    config["train"]["__model"] = shipped
    config["train"]["lr_policy"] = component("ReduceCosine", rate=0.3)
    for answer in said(archive(tmp_path, config), "--allow-custom-code"):
        assert f'{CONFIG}: train.model.path: found "CustomArch.SegResnet"' in answer.err
        assert "a file custom/CustomArch.py with the class SegResnet" in answer.err


def test_code_written_for_tensorflow(tmp_path: Path, said: Callable[..., list[Answer]]) -> None:
    """``GettingStarted/trn_BYOC_Arch_loss``: model and loss are graphs, both are told at once."""
    config = byoc_base()
    config["train"]["model"] = {"path": "myNetworkArch.CustomNetwork", "args": {"num_classes": 2, "factor": 4}}
    config["train"]["loss"] = {"path": "myLoss.MyDice", "args": {"skip_background": True}}
    root = archive(tmp_path, config, myNetworkArch=TF_MODEL, myLoss=TF_LOSS)
    for answer in said(root, "--allow-custom-code"):
        for key, path, file in (
            ("model", "myNetworkArch.CustomNetwork", "custom/myNetworkArch.py"),
            ("loss", "myLoss.MyDice", "custom/myLoss.py"),
        ):
            assert f"{CONFIG}: train.{key}.path: found {path}, which builds on tensorflow" in answer.err
            assert file in answer.err
            assert f"expected a {key} in PyTorch" in answer.err
        assert "a class on vesalia.components.models.base.Model with the method logits(image)" in answer.err
        assert "a class on vesalia.components.losses.base.Loss" in answer.err


def test_a_config_that_is_not_there(tmp_path: Path, said: Callable[..., list[Answer]]) -> None:
    """``train_finetune.sh`` names ``config_train.json``, which the archive lacks."""
    root = archive(tmp_path, public("GettingStarted/trn_base").config)
    (root / CONFIG).rename(root / "config" / "trn_base.json")
    for answer in said(root, "-c", CONFIG):
        assert f"{CONFIG}: found no such file" in answer.err


def test_weights_of_tensorflow_are_told_apart_from_missing_ones(
    tmp_path: Path, dataset: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """``train_finetune.sh`` starts from ``models/model.ckpt``, which v3 had written."""
    root = archive(tmp_path, public("GettingStarted/trn_base").config)
    (root / "models" / "model.ckpt.index").write_bytes(b"\0" * 8)
    settings = [*data_settings(dataset("spleen")), "MMAR_CKPT=models/model.ckpt"]
    answer = call(capsys, "train", root, "--set", *settings)
    assert answer.code == 2
    assert "TensorFlow" in answer.err


def test_a_data_list_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The paths of the examples' container are on no other machine; both are told."""
    config = public("Performance/config/trn_BT_cache")
    root = build(tmp_path / "mmar", config)
    answer = call(capsys, "check", root)
    assert answer.code == 2
    assert "config/environment.json: DATASET_JSON: found" in answer.err
    assert "/claraDevDay/Data/DecathlonDataset/Task09_Spleen/dataset_original.json" in answer.err
    assert "--set DATASET_JSON=FILE" in answer.err


def test_batches_of_batches(tmp_path: Path, said: Callable[..., list[Answer]]) -> None:
    """``MergeBatchDims`` with ``batched_by_transforms: true``, as one notebook has it, is told which to drop."""
    config = demo(crop_fast(128, 2), pipeline("training", 128, 2, batched_by_transforms=True))
    config["train"]["batch_transforms"] = merge()
    for answer in said(archive(tmp_path, config)):
        assert "train.image_pipeline.args.batched_by_transforms: found true, expected false" in answer.err
