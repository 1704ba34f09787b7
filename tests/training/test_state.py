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
from vesalia.training.state import (
    STATE_FILE,
    Counters,
    load_state,
    put_state,
    read_counters,
    save_state,
    state_files,
)


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


class TestSeveralStates:
    """The newest that is whole and fits is gone on with; what is passed over is told."""

    def three(self, folder: Path) -> None:
        for step in (1, 2, 3):
            run = make_run(seed=step, counters=Counters(step=step))
            save_state(folder, model=run.model, optimizer=run.optimizer, counters=run.counters, kept=3)

    def resumed(self, folder: Path) -> tuple[int, list[str]]:
        """At which step, and what was said."""
        said: list[str] = []
        run = make_run()
        counters, content = load_state(folder, model=run.model, optimizer=run.optimizer, skipped=said.append)
        other = make_run(seed=9)
        assert put_state(content, folder, model=other.model, optimizer=other.optimizer) == counters
        assert same_weights(run.model, other.model)
        return counters.step, said

    @pytest.mark.parametrize(("kept", "steps"), [(1, [4]), (2, [4, 3]), (3, [4, 3, 2])])
    def test_as_many_are_kept_as_wanted(self, tmp_path: Path, kept: int, steps: list[int]) -> None:
        for step in (1, 2, 3, 4):
            run = make_run(counters=Counters(step=step))
            save_state(tmp_path, model=run.model, optimizer=run.optimizer, counters=run.counters, kept=kept)
        found = []
        for path in state_files(tmp_path):
            other = make_run(seed=9)
            content = path.read_bytes()
            found.append(put_state(content, path, model=other.model, optimizer=other.optimizer).step)
        assert found == steps

    @pytest.mark.parametrize("torn", [b"", b"no tensors here"])
    def test_a_torn_one_is_passed_over(self, tmp_path: Path, torn: bytes) -> None:
        self.three(tmp_path)
        (tmp_path / STATE_FILE).write_bytes(torn)
        step, said = self.resumed(tmp_path)
        assert step == 2
        assert len(said) == 1
        assert "found a state that cannot be read" in said[0]
        assert said[0].endswith("this run goes on from the one before, resume-1.safetensors")
        found = read_counters(tmp_path)
        assert found is not None
        assert found.step == 2

    def test_so_are_two_of_them_and_a_foreign_one(self, tmp_path: Path) -> None:
        self.three(tmp_path)
        (tmp_path / STATE_FILE).write_bytes((tmp_path / STATE_FILE).read_bytes()[:-1])
        foreign = nn.Conv3d(1, 2, 3)
        save_state(tmp_path / "other", model=foreign, optimizer=optim.Adam(foreign.parameters()), counters=Counters())
        (tmp_path / "other" / STATE_FILE).replace(tmp_path / "resume-1.safetensors")
        step, said = self.resumed(tmp_path)
        assert step == 1
        assert ["cannot be read" in said[0], "of another network" in said[1]] == [True, True]

    def test_one_whose_names_were_not_moved_yet_is_the_newest(self, tmp_path: Path) -> None:
        """A kill came between the writing and the moving, or in the middle of the moving."""
        self.three(tmp_path)
        (tmp_path / STATE_FILE).replace(tmp_path / "resume-new.safetensors")
        assert self.resumed(tmp_path) == (3, [])
        (tmp_path / "resume-1.safetensors").replace(tmp_path / STATE_FILE)
        assert self.resumed(tmp_path) == (3, [])
        run = make_run(counters=Counters(step=4))
        save(tmp_path, run)
        assert self.resumed(tmp_path) == (4, [])
        assert not (tmp_path / "resume-new.safetensors").exists()

    def test_where_none_will_do_the_newest_says_why(self, tmp_path: Path) -> None:
        self.three(tmp_path)
        for path in state_files(tmp_path):
            path.write_bytes(b"torn")
        with pytest.raises(CheckpointError, match=rf"{STATE_FILE}: found a state that cannot be read"):
            self.resumed(tmp_path)

    def test_without_any_that_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(CheckpointError, match="found no state"):
            self.resumed(tmp_path)


def test_a_gradient_scaler_goes_on_with_its_scale(tmp_path: Path) -> None:
    run, other = make_run(), make_run(seed=2)
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0, growth_interval=7)
    save_state(tmp_path, model=run.model, optimizer=run.optimizer, counters=run.counters, parts={"scaler": scaler})
    fresh = torch.amp.GradScaler("cpu")
    load_state(tmp_path, model=other.model, optimizer=other.optimizer, parts={"scaler": fresh})
    assert fresh.state_dict() == scaler.state_dict()


def test_parts_that_the_state_does_not_know_are_left_as_they_are(tmp_path: Path) -> None:
    run = make_run()
    save(tmp_path, run)
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)
    load_state(tmp_path, model=run.model, optimizer=run.optimizer, parts={"scaler": scaler})
    assert scaler.get_scale() == 4096.0


def test_an_optimizer_s_tensors_lie_as_their_parameters_do(tmp_path: Path) -> None:
    """Else other loops would go over them, which may round differently."""
    run, other = make_run(seed=1), make_run(seed=2)
    save(tmp_path, run)
    weight = next(iter(other.model.parameters()))
    weight.data = weight.data.contiguous(memory_format=torch.channels_last_3d)
    load(tmp_path, other)
    assert other.optimizer.state[weight]["exp_avg"].stride() == weight.stride()
