"""Averaged weights: the formula, what is judged and kept, and a resumed run that ends the same."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests.training.bench import Bench, assert_same, tiny
from tests.training.fakes import Likeness
from vesalia.errors import CheckpointError, Interrupted
from vesalia.runtime.interrupts import StopRequest
from vesalia.training.listener import Listener, StepReport
from vesalia.training.weight_average import WeightAverage, wearing


class Stop(Listener):
    """Sends a real signal after a step."""

    def __init__(self, after: int) -> None:
        self.after = after

    def stepped(self, report: StepReport) -> None:
        if report.step == self.after:
            signal.raise_signal(signal.SIGINT)


def layer(value: float) -> nn.Linear:
    """One weight."""
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def held(average: WeightAverage) -> float:
    """The one weight of an average."""
    return float(average.state_dict()["weight"])


def test_the_formula_with_its_warm_up() -> None:
    model = layer(0.0)
    average = WeightAverage(model, 0.999)
    expected = 0.0
    for number, value in enumerate([1.0, 2.0, -1.0], 1):
        nn.init.constant_(model.weight, value)
        average.update(model)
        kept = min(0.999, (1 + number) / (10 + number))
        expected = kept * expected + (1 - kept) * value
    assert held(average) == pytest.approx(expected, rel=1e-6)


def test_the_decay_limits_the_warm_up() -> None:
    model = layer(0.0)
    average = WeightAverage(model, 0.1)
    nn.init.constant_(model.weight, 1.0)
    average.update(model)
    assert held(average) == pytest.approx(0.9)


def test_it_is_float32_whatever_the_weights_are_and_counters_are_copied() -> None:
    model = nn.BatchNorm1d(2).to(torch.bfloat16)
    average = WeightAverage(model, 0.9)
    model(torch.ones(4, 2, dtype=torch.bfloat16))
    average.update(model)
    state = average.state_dict()
    assert state["running_mean"].dtype == torch.float32
    assert int(state["num_batches_tracked"]) == 1


def test_the_network_has_its_own_weights_to_the_bit_afterwards() -> None:
    model = tiny()
    average = WeightAverage(model, 0.9)
    nn.init.constant_(model.last.weight, 7.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with contextlib.suppress(KeyError), average.worn_by(model):
        worn = model.last.weight.detach().clone()
        raise KeyError
    assert not torch.equal(worn, before["last.weight"])
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_without_an_average_nothing_is_worn() -> None:
    model = layer(3.0)
    with wearing(None, model):
        assert model.weight.item() == 3.0


def test_the_average_is_judged_and_kept_as_best_and_last(tmp_path: Path) -> None:
    bench = Bench(tmp_path, model=tiny(), ema_decay=0.9)
    trainer = bench.trainer()
    trainer.run()
    assert trainer.average
    average = trainer.average.state_dict()
    last = load_file(tmp_path / "model_final.safetensors")
    assert all(torch.equal(average[name], value) for name, value in last.items())
    assert not torch.equal(bench.model.first.weight, last["first.weight"])


def test_the_metric_of_a_validation_is_the_averages(tmp_path: Path) -> None:
    plain = Bench(tmp_path / "plain", epochs=1, model=tiny(), metric=Likeness())
    plain.trainer().run()
    averaged = Bench(tmp_path / "averaged", epochs=1, model=tiny(), metric=Likeness(), ema_decay=0.9)
    best = averaged.trainer().run().best
    assert_same(plain.model, averaged.model)  # the training itself is the same
    untouched = Bench(tmp_path / "again", epochs=1, model=tiny(), metric=Likeness())
    assert best != untouched.trainer().run().best


@pytest.mark.parametrize("after", [2, 6])
def test_a_resumed_run_ends_with_the_same_average(tmp_path: Path, after: int) -> None:
    whole = Bench(tmp_path / "whole", model=tiny(dropout=0.3), ema_decay=0.99)
    whole.trainer().run()
    folder = tmp_path / "stopped"
    with StopRequest() as stop:
        stopped = Bench(folder, model=tiny(dropout=0.3), ema_decay=0.99, listener=Stop(after), stop=stop)
        with pytest.raises(Interrupted):
            stopped.trainer().run()
    resumed = Bench(folder, model=tiny(seed=99, dropout=0.3), ema_decay=0.99, resume=True)
    resumed.trainer().run()
    assert_same(whole.model, resumed.model)
    for name in ("model", "model_final"):
        one, two = (load_file(place / f"{name}.safetensors") for place in (whole.folder, folder))
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_one_begins_again_at_the_present_weights() -> None:
    model = tiny()
    average = WeightAverage(model, 0.9)
    average.update(model)
    assert average.updates == 1
    nn.init.constant_(model.last.weight, 7.0)
    average.load_state_dict({})
    assert average.updates == 0
    assert torch.equal(average.state_dict()["last.weight"], model.last.weight)


def test_another_networks_average_is_refused() -> None:
    with pytest.raises(CheckpointError, match="average of another network"):
        WeightAverage(layer(0.0), 0.9).load_state_dict(WeightAverage(tiny(), 0.9).state_dict())
