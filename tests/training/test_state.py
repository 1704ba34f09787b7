"""The state a run goes on from: everything comes back to the bit, and damage is said in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from torch import nn, optim

from tests.training.fakes import FakePipeline, MeanSquare, Run, make_run
from vesalia.errors import CheckpointError, ResourceError
from vesalia.training.state import STATE_FILE, Counters, load_state, read_counters, save_state


def step(run: Run, number: int) -> None:
    """One more step, the same for everybody."""
    batch = FakePipeline().batch(9, number)
    run.optimizer.zero_grad()
    MeanSquare()(run.model(batch.fields["image"]), batch.fields["label"]).backward()  # type: ignore[no-untyped-call,unused-ignore]
    run.optimizer.step()


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks are equal to the bit."""
    found = other.state_dict()
    return all(torch.equal(value, found[name]) for name, value in one.state_dict().items())


def save(folder: Path, run: Run) -> Path:
    """Save and give the file."""
    save_state(folder, model=run.model, optimizer=run.optimizer, counters=run.counters)
    return folder / STATE_FILE


def load(folder: Path, run: Run) -> Counters:
    """Load into ``run``."""
    return load_state(folder, model=run.model, optimizer=run.optimizer)[0]


def test_what_is_loaded_goes_on_to_the_bit(tmp_path: Path) -> None:
    run, other = make_run(seed=1), make_run(seed=2, steps=1)
    save(tmp_path, run)
    load(tmp_path, other)
    for number in range(3):
        step(run, number)
        step(other, number)
    assert same_weights(run.model, other.model)


def test_an_optimizer_without_steps_can_be_saved(tmp_path: Path) -> None:
    run, other = make_run(steps=0), make_run(seed=5, steps=0)
    save(tmp_path, run)
    load(tmp_path, other)
    step(run, 0)
    step(other, 0)
    assert same_weights(run.model, other.model)


def test_numbers_in_an_optimizer_s_state_come_back(tmp_path: Path) -> None:
    run = make_run()
    parameter = next(run.model.parameters())
    run.optimizer.state[parameter]["norm"] = 0.1
    other = make_run(seed=3)
    save(tmp_path, run)
    load(tmp_path, other)
    assert other.optimizer.state[next(other.model.parameters())]["norm"] == 0.1


def test_the_learning_rate_of_the_groups_comes_back(tmp_path: Path) -> None:
    run, other = make_run(), make_run()
    run.optimizer.param_groups[0]["lr"] = 0.123456789012345
    save(tmp_path, run)
    load(tmp_path, other)
    assert other.optimizer.param_groups[0]["lr"] == 0.123456789012345


def test_all_counters_come_back(tmp_path: Path) -> None:
    counters = Counters(
        epoch=7,
        step_in_epoch=2,
        step=50,
        best=0.1 + 0.2,
        best_epoch=6,
        validations_without_gain=1,
        earlier_stalls=[2, 3],
        seconds=12.5,
        seed=2**31 - 1,
        finished=True,
        schedule={"fraction": 1 / 3},
    )
    save(tmp_path, make_run(counters=counters))
    assert read_counters(tmp_path) == counters
    assert load(tmp_path, make_run()) == counters


def test_saving_replaces_the_state_before(tmp_path: Path) -> None:
    save(tmp_path, make_run(counters=Counters(step=1)))
    save(tmp_path, make_run(counters=Counters(step=2)))
    found = read_counters(tmp_path)
    assert found is not None
    assert found.step == 2
    assert {path.name for path in tmp_path.iterdir()} == {STATE_FILE, "resume-1.safetensors"}


def test_nothing_to_resume(tmp_path: Path) -> None:
    assert read_counters(tmp_path) is None
    assert read_counters(tmp_path / "not there") is None


def test_channels_last_weights_are_saved_as_they_are(tmp_path: Path) -> None:
    run, other = make_run(seed=1), make_run(seed=2)
    for parameter in run.model.parameters():
        if parameter.ndim == 5:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
    save(tmp_path, run)
    load(tmp_path, other)
    assert same_weights(run.model, other.model)


@pytest.mark.parametrize("damage", ["empty", "short", "text", "foreign", "newer"])
def test_a_state_that_cannot_be_read_says_so(tmp_path: Path, damage: str) -> None:
    path = save(tmp_path, make_run())
    content = path.read_bytes()
    if damage == "foreign":
        from safetensors.torch import save_file

        save_file({"x": torch.zeros(1)}, path)
    elif damage == "newer":
        path.write_bytes(content.replace(b"step_in_epoch", b"stepp_in_epoc"))
    else:
        path.write_bytes({"empty": b"", "short": content[:-10], "text": b"no tensors here"}[damage])
    for read in (read_counters, lambda folder: load(folder, make_run())):
        with pytest.raises(CheckpointError, match=rf"{STATE_FILE}: found a state that cannot be read .* delete it"):
            read(tmp_path)


def test_the_state_of_another_network_says_so(tmp_path: Path) -> None:
    save(tmp_path, make_run())
    other = nn.Conv3d(1, 2, 3)
    with pytest.raises(CheckpointError, match=r"found the state of another network .* train without --resume"):
        load_state(tmp_path, model=other, optimizer=optim.Adam(other.parameters()))


def test_the_state_of_another_optimizer_says_so(tmp_path: Path) -> None:
    run = make_run()
    save(tmp_path, run)
    groups = [{"params": [parameter]} for parameter in run.model.parameters()]
    with pytest.raises(CheckpointError, match="found the state of another network"):
        load_state(tmp_path, model=run.model, optimizer=optim.SGD(groups, lr=0.1))


def test_a_full_disk_keeps_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, make_run(counters=Counters(step=1)))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="no space left"):
        save(tmp_path, make_run(counters=Counters(step=2)))
    found = read_counters(tmp_path)
    assert found is not None
    assert found.step == 1
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]
