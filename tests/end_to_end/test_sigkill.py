"""SIGKILL at any moment, in a save, a validation, a swap of the cache: the resumed run ends equal to the bit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from tests.end_to_end.killing import Moment, ended, killed_at, words_of
from tests.tiny_archive import make_archive, read_config, write_config

pytestmark = pytest.mark.slow

OFTEN = "seconds_between_states=0.0001"
"""A state before each step; without it there is one at each new best model."""
_CLOCK = {"seconds", "samples_per_s", "waiting_share"}
"""What a history holds of the time that things took."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, balls: Path) -> Path:
    """A training with everything that has a state: dropout, batch statistics, a moving cache, an average, a plateau."""
    root = make_archive(tmp_path_factory.mktemp("sound") / "archive", balls)
    config = read_config(root)
    del config["train"]["model"]["args"]["use_group_normG"]
    config.update(epochs=5, num_training_epoch_per_valid=1, ema_decay=0.9, num_batches_per_update=2)
    config["train"]["lr_policy"] = {
        "name": "ReduceOnPlateau",
        "args": {"plateau_count_trigger": 1, "reduction_rate": 0.5},
    }
    config["train"]["image_pipeline"]["name"] = "SegmentationImagePipelineWithCache"
    config["train"]["image_pipeline"]["args"].update(
        output_batch_size=1, num_cache_objects=3, replace_percent=0.34, num_workers=2
    )
    write_config(root, config)
    return root


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, sound: Path) -> tuple[list[str], Path]:
    """What a training that nobody kills tells on its way, and what it leaves."""
    root = shutil.copytree(sound, tmp_path_factory.mktemp("undisturbed") / "archive")
    return words_of(root, OFTEN), root / "models"


def left_by(models: Path) -> dict[str, Any]:
    """All that a training leaves, but for what the clock said."""
    history = [json.loads(line) for line in (models / "history.jsonl").read_text().splitlines()]
    with safe_open(models / "resume.safetensors", framework="pt") as state:
        header = json.loads(state.metadata()["vesalia"])
    counters = {key: value for key, value in header["counters"].items() if key not in {"seconds", "history"}}
    tensors = load_file(models / "resume.safetensors")
    return {
        "best": (models / "model.safetensors").read_bytes(),
        "last": (models / "model_final.safetensors").read_bytes(),
        "history": [{key: value for key, value in line.items() if key not in _CLOCK} for line in history],
        "state": {name: tensor.numpy().tobytes() for name, tensor in tensors.items()},
        "counters": counters,
    }


def moments() -> list[Moment]:
    """Twenty: of each kind some, at random places."""
    dice = random.Random(20)
    most = {"saving": 16, "moving": 38, "validating": 10, "swapping": 9, "stepped": 15}
    many = {"saving": 4, "moving": 4, "validating": 4, "swapping": 3, "stepped": 5}
    return [(word, place) for word, count in many.items() for place in dice.sample(range(1, most[word] + 1), count)]


def test_the_moments_are_in_the_training(undisturbed: tuple[list[str], Path]) -> None:
    words, _ = undisturbed
    assert len(moments()) == len(set(moments())) == 20
    assert all(words.count(word) >= occurrence for word, occurrence in moments())


@pytest.mark.parametrize(("word", "occurrence"), moments())
def test_a_killed_run_ends_as_if_nothing_had_been(
    tmp_path: Path, sound: Path, undisturbed: tuple[list[str], Path], word: str, occurrence: int
) -> None:
    root = shutil.copytree(sound, tmp_path / "archive")
    assert killed_at(root, (word, occurrence), OFTEN, delay_s=random.Random(f"{word}{occurrence}").uniform(0, 0.008))
    ended(root, OFTEN)
    assert left_by(root / "models") == left_by(undisturbed[1])
    assert list((root / "models").rglob(".writing-*")) == []


def test_so_does_one_that_is_killed_again_and_again(
    tmp_path: Path, sound: Path, undisturbed: tuple[list[str], Path]
) -> None:
    """With states at new best models alone: whole epochs are done again."""
    root = shutil.copytree(sound, tmp_path / "archive")
    kills = [("stepped", 4), ("validating", 3), ("moving", 5), ("swapping", 2)]
    assert all(killed_at(root, moment, resume=number > 0) for number, moment in enumerate(kills))
    ended(root)
    assert left_by(root / "models") == left_by(undisturbed[1])
