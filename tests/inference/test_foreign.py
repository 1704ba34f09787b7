"""Pickled checkpoints: values are read, code is refused and never run."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vesalia.errors import CheckpointError
from vesalia.inference.foreign import read_pickled, weights_in

RAN: list[str] = []


def trap(text: str) -> str:
    """What a hostile file would have run."""
    RAN.append(text)
    return text


class Hostile:
    """Unpickling it calls a function."""

    def __reduce__(self) -> tuple[Any, ...]:
        return trap, ("gotcha",)


def saved(path: Path, content: object) -> Path:
    """A file as ``torch.save`` writes it."""
    torch.save(content, path)
    return path


def test_tensors_and_plain_values_are_read(tmp_path: Path) -> None:
    content = {"weights": OrderedDict(a=torch.ones(2)), "epoch": 3, "device": torch.device("cpu"), "axes": (0, 1)}
    found = read_pickled(saved(tmp_path / "a.pt", content))
    assert (found["epoch"], found["axes"]) == (3, (0, 1))
    assert torch.equal(found["weights"]["a"], torch.ones(2))


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.25), np.int64(3), np.int32(4), np.bool_(True)])
def test_numpys_scalars_are_values(tmp_path: Path, value: np.generic) -> None:
    found = read_pickled(saved(tmp_path / "a.pt", {"best": value}))
    assert found["best"] == value


def test_code_is_refused_and_not_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"found .*trap, which is code, expected tensors"):
        read_pickled(saved(tmp_path / "a.pt", {"weights": torch.ones(1), "extra": Hostile()}))
    assert RAN == []


def test_a_plain_pickle_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(CheckpointError):
        read_pickled(tmp_path / "a.pt")
    assert RAN == []


def test_a_whole_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"torch.save\(model.state_dict\(\)"):
        read_pickled(saved(tmp_path / "a.pt", nn.Linear(1, 1)))


def test_a_program_is_refused_in_words(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to give programs up
        torch.jit.save(torch.jit.trace(nn.Linear(1, 1), torch.ones(1, 1)), tmp_path / "a.ts")
    with pytest.raises(CheckpointError, match="found a TorchScript program, expected a state dict"):
        read_pickled(tmp_path / "a.ts")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no pickle at all"])
def test_torn_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a.pt: found"):
        read_pickled(tmp_path / "a.pt")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_pickled(tmp_path / "gone.pt")


@pytest.mark.parametrize("name", ["state_dict", "model", "network_weights", "net"])
def test_weights_under_the_usual_names(name: str) -> None:
    state = {"a": torch.ones(1)}
    assert weights_in({name: state, "epoch": 1}, Path("a.pt")) == state
    assert weights_in(state, Path("a.pt")) == state


@pytest.mark.parametrize(
    ("content", "said"),
    [({"epoch": 1}, "found epoch, expected a state dict"), ([1], "found list"), ({}, "found nothing")],
)
def test_no_weights(content: object, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        weights_in(content, Path("a.pt"))
