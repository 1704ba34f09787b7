"""Seeded mistakes: paths, custom code, weights, states, devices, budgets."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from tests.end_to_end.mistakes import Damage, Mistake, all_of, as_it_is, put, put_text
from tests.end_to_end.workbench import ENVIRONMENT, TRAIN, Bench

__all__ = ["MISTAKES"]

_USE = ("evaluate", "infer")
_RUN = ("archive/models/",)

_TORCH_CODE = """
from vesalia.components.losses.base import Loss


class Mine(Loss):
    def __init__(self) -> None:
        raise RuntimeError("this code must not run")

    def __call__(self, probabilities, target):
        return probabilities.sum()
"""
_TENSORFLOW_CODE = "import tensorflow as tf\n\n\nclass Mine:\n    def get_loss(self):\n        return tf.zeros([])\n"


def _custom(code: str) -> Damage:
    return all_of(put_text("custom/mine.py", code), put("train.loss", {"path": "mine.Mine"}))


def _link_out(bench: Bench) -> None:
    outside = bench.root / "outside.py"
    outside.write_text(_TORCH_CODE)
    (bench.archive / "custom").mkdir()
    (bench.archive / "custom" / "mine.py").symlink_to(outside)
    put("train.loss", {"path": "mine.Mine"})(bench)


def _config_outside(bench: Bench) -> None:
    (bench.root / "outside.json").write_bytes((bench.archive / TRAIN).read_bytes())


def _linked_config(bench: Bench) -> None:
    _config_outside(bench)
    (bench.archive / "config" / "linked.json").symlink_to(bench.root / "outside.json")


def _no_weights(bench: Bench) -> None:
    for path in bench.models.glob("model*"):
        path.unlink()


def _only_tensorflow_weights(bench: Bench) -> None:
    _no_weights(bench)
    for name in ("model.ckpt.index", "model.ckpt.meta", "model.ckpt.data-00000-of-00001", "model.trt.pb"):
        (bench.models / name).write_bytes(b"\x00" * 64)


def _torn_weights(bench: Bench) -> None:
    path = bench.models / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)


def _cut_weights(bench: Bench) -> None:
    path = bench.models / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _cut_state(bench: Bench) -> None:
    """All states that are kept: of two, the one before would do."""
    for path in bench.models.glob("resume*.safetensors"):
        path.write_bytes(path.read_bytes()[:200])


def _change_card(bench: Bench) -> None:
    path = bench.models / "model.json"
    card = json.loads(path.read_text())
    card["model"]["args"]["nf_enc"] = [8, 16]
    path.write_text(json.dumps(card))


def _other_network(bench: Bench) -> None:
    """The weights of one network, and a config of another."""
    for name in ("model.safetensors", "model.json"):
        (bench.root / name).write_bytes((bench.models / name).read_bytes())
    put("MMAR_CKPT", str(bench.root / "model.ckpt"), ENVIRONMENT)(bench)
    put(
        "train.model",
        {
            "name": "SegResnet",
            "args": {"num_classes": 4, "blocks_down": "1,1", "blocks_up": "1", "init_filters": 4, "use_group_normG": 2},
        },
    )(bench)


def _file_for_models(bench: Bench) -> None:
    bench.models.rename(bench.root / "models")
    bench.models.write_text("")


def _file_for_eval(bench: Bench) -> None:
    (bench.archive / "eval").rmdir()
    (bench.archive / "eval").write_text("")


MISTAKES = (
    Mistake(
        "a config outside the archive",
        _config_outside,
        ("../outside.json", "leaves the archive", "config/config_train.json"),
        options=("-c", "../outside.json"),
    ),
    Mistake(
        "a config that is a link out of the archive",
        _linked_config,
        ("config/linked.json", "leaves the archive"),
        options=("-c", "config/linked.json"),
    ),
    Mistake(
        "weights to be written outside the archive",
        put("MMAR_CKPT_DIR", "../models", ENVIRONMENT),
        (ENVIRONMENT, "MMAR_CKPT_DIR", '"../models"', "leaves the archive", '"models"'),
        ("check", "train", "evaluate"),
    ),
    Mistake(
        "code outside custom",
        put("train.loss", {"path": "..outside.Mine"}),
        (TRAIN, "train.loss.path", '"..outside.Mine"', "custom folder"),
    ),
    Mistake("code that is a link out of custom", _link_out, (TRAIN, "train.loss.path", "custom", "not a link out")),
    Mistake(
        "code that is not there",
        put("train.loss", {"path": "mine.Mine"}),
        (TRAIN, "train.loss.path", '"mine.Mine"', "custom/mine.py"),
    ),
    Mistake(
        "custom code that nobody allowed",
        _custom(_TORCH_CODE),
        (TRAIN, "train.loss.path", "custom/mine.py", "--allow-custom-code"),
    ),
    Mistake(
        "custom code for TensorFlow",
        _custom(_TENSORFLOW_CODE),
        (
            TRAIN,
            "train.loss.path",
            "mine.Mine",
            "tensorflow",
            "a loss in PyTorch",
            "vesalia.components.losses.base.Loss",
        ),
        options=("--allow-custom-code",),
    ),
    Mistake(
        "custom code that is not Python",
        _custom("class Mine(:\n    pass\n"),
        (TRAIN, "train.loss.path", "custom/mine.py", "line 1"),
        options=("--allow-custom-code",),
    ),
    Mistake(
        "custom code that fails",
        _custom(_TORCH_CODE),
        (TRAIN, "train.loss", "mine.Mine", "RuntimeError: this code must not run"),
        ("train",),
        ("--allow-custom-code",),
    ),
    Mistake("no weights", _no_weights, ("model.safetensors", "no weights there", "vesalia train"), _USE),
    Mistake(
        "the weights of TensorFlow",
        _only_tensorflow_weights,
        ("model.ckpt.index", "TensorFlow checkpoint", "cannot be read", "vesalia train"),
        _USE,
    ),
    Mistake(
        "weights whose hash differs",
        _torn_weights,
        ("model.safetensors", "hash differs", "the file is damaged", "train again"),
        _USE,
    ),
    Mistake("weights cut short", _cut_weights, ("model.safetensors", "damaged", "train again"), _USE),
    Mistake(
        "a text called .safetensors",
        put_text("models/model.safetensors", "these are not the weights you are looking for"),
        ("model.safetensors", "copy"),
        _USE,
    ),
    Mistake("a card of another network", _change_card, ("model.safetensors", "do not fit", "shape"), _USE),
    Mistake(
        "weights of another network to start from",
        _other_network,
        ("MMAR_CKPT", "a checkpoint of Unet", "no weight fits SegResnet", "the same architecture"),
        ("train",),
    ),
    Mistake(
        "no weights to start from",
        put("MMAR_CKPT", "models/modle.ckpt", ENVIRONMENT),
        ("modle.safetensors", "model, model_final"),
        ("train",),
    ),
    Mistake(
        "a state cut short",
        _cut_state,
        ("resume.safetensors", "cannot be read", "delete it to start afresh"),
        ("train",),
        ("--resume",),
    ),
    Mistake(
        "the state of another network",
        put("train.model.args.nf_enc", "8,8"),
        ("resume.safetensors", "the state of another network", "train without --resume"),
        ("train",),
        ("--resume",),
    ),
    Mistake(
        "a device that is none",
        as_it_is,
        ("--device", "'gpu'", "auto, cpu, cuda, mps"),
        ("train", "evaluate", "infer"),
        ("--device", "gpu"),
    ),
    Mistake(
        "a device that is not there",
        as_it_is,
        ("--device", "'cuda:99'", "a device that this machine has"),
        ("train", "evaluate"),
        ("--device", "cuda:99"),
    ),
    Mistake(
        "a budget without a unit that is known",
        as_it_is,
        ("--budget", "'5 days'", "300s"),
        ("train",),
        ("--budget", "5 days"),
    ),
    Mistake("a budget of nothing", as_it_is, ("--budget", "'0s'", "300s"), ("train",), ("--budget", "0s")),
    Mistake(
        "a budget that is over before it begins",
        as_it_is,
        ("budget", "write"),
        ("train",),
        ("--budget", "0.1s"),
    ),
    Mistake(
        "an absurd learning rate",
        all_of(put("learning_rate", 1e30), put("epochs", 40), put("num_training_epoch_per_valid", 40)),
        ("loss", "learning_rate", "20 steps in a row"),
        ("train",),
        may_change=_RUN,
    ),
    Mistake("an image that is not there", as_it_is, ("nobody.nii.gz", "no such file"), ("infer",), ("nobody.nii.gz",)),
    Mistake(
        "labels to be read that are none",
        as_it_is,
        ("labels", "'some'", "--labels auto"),
        ("check",),
        ("--labels", "some"),
    ),
    Mistake("a file where the models go", _file_for_models, ("models", "cannot be written"), ("train",)),
    Mistake("a file where the results go", _file_for_eval, ("eval", "cannot be written"), _USE),
    Mistake("an option that is none", as_it_is, ("--epochs",), ("train",), ("--epochs", "3")),
    Mistake("a seed below zero", as_it_is, ("--seed", "0"), ("train",), ("--seed", "-1")),
)
