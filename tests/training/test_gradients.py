"""Updates of several batches are those of one large batch, and gradients are limited by their norm."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
from collections.abc import Generator
from pathlib import Path

import pytest
import torch
from lightning_fabric.plugins.precision.amp import MixedPrecision
from torch import nn, optim

from tests.training.bench import RATE, Bench, assert_same, tiny
from tests.training.fakes import FakePipeline, MeanSquare
from vesalia.errors import Interrupted
from vesalia.pipelines.batching import Batch
from vesalia.runtime.interrupts import StopRequest
from vesalia.training.gradients import Gradients
from vesalia.training.listener import Listener, StepReport
from vesalia.training.state import read_counters


class Uneven(FakePipeline):
    """The samples of each epoch are the same, cut into batches of two or into one batch of all (five)."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        super().__init__(items=sum(sizes), batch_size=max(sizes))
        self.sizes = sizes

    @property
    def steps_per_epoch(self) -> int:
        return len(self.sizes)

    def batch(self, index: int, step: int) -> Batch:
        whole = torch.rand(sum(self.sizes), 1, 4, 4, 4, generator=torch.Generator().manual_seed(index))
        begin = sum(self.sizes[:step])
        image = whole[begin : begin + self.sizes[step]]
        return Batch({"image": image, "label": (image > 0.5).to(torch.uint8)}, ("case",) * len(image))


class Stop(Listener):
    """Sends a real signal after a step."""

    def __init__(self, after: int) -> None:
        self.after = after

    def stepped(self, report: StepReport) -> None:
        if report.step == self.after:
            signal.raise_signal(signal.SIGINT)


def parameters_with(*gradients: list[float]) -> list[nn.Parameter]:
    """Parameters that have these gradients."""
    made = [nn.Parameter(torch.zeros(len(gradient))) for gradient in gradients]
    for parameter, gradient in zip(made, gradients, strict=True):
        parameter.grad = torch.tensor(gradient)
    return made


def test_an_update_of_three_uneven_batches_is_that_of_one_large_batch(tmp_path: Path) -> None:
    whole = Bench(tmp_path / "whole", model=tiny(), pipeline=Uneven((5,)))
    whole.trainer().run()
    parts = Bench(tmp_path / "parts", model=tiny(), pipeline=Uneven((2, 2, 1)))
    parts.gradients = Gradients(batches_per_update=3)
    parts.trainer().run()
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(parts.model.state_dict()[name], value, rtol=1e-5, atol=1e-7)


def test_the_last_update_of_an_epoch_takes_what_is_left(tmp_path: Path) -> None:
    counted = Bench(tmp_path, epochs=2, model=tiny(), pipeline=Uneven((1, 1, 1, 1, 1)))
    counted.gradients = Gradients(batches_per_update=2)
    trainer = counted.trainer()
    trainer.run()
    steps = {float(state["step"]) for state in trainer.optimizer.state_dict()["state"].values()}
    assert steps == {6.0}  # three in each epoch: two, two and one batch


def test_the_first_step_against_plain_pytorch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=1, model=tiny(), pipeline=Uneven((2, 2)))
    bench.gradients = Gradients(batches_per_update=2, largest_norm=1e-3)
    plain = tiny()
    optimizer = optim.Adam(plain.parameters(), lr=RATE)
    for step in range(2):
        batch = bench.pipeline.batch(0, step)
        probabilities = torch.softmax(plain.logits(batch.fields["image"]), dim=1)
        loss = MeanSquare()(probabilities, batch.fields["label"]) / 2
        loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
    nn.utils.clip_grad_norm_(plain.parameters(), 1e-3)
    optimizer.step()
    bench.trainer().run()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(bench.model.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_a_request_to_stop_waits_for_the_update_and_resuming_ends_the_same(tmp_path: Path) -> None:
    def bench(folder: str, **more: object) -> Bench:
        made = Bench(tmp_path / folder, model=tiny(dropout=0.3), pipeline=Uneven((1, 1, 1, 1, 1)))
        made.gradients = Gradients(batches_per_update=2)
        for name, value in more.items():
            setattr(made, name, value)
        return made

    whole = bench("whole")
    whole.trainer().run()
    with StopRequest() as stop:
        stopped = bench("stopped", listener=Stop(after=6), stop=stop)
        with pytest.raises(Interrupted, match="epoch 2, step 7"):
            stopped.trainer().run()
    counters = read_counters(tmp_path / "stopped")
    assert counters
    assert (counters.epoch, counters.step_in_epoch) == (2, 2)
    resumed = bench("stopped", resume=True)
    resumed.trainer().run()
    assert_same(whole.model, resumed.model)


class TestNorm:
    def test_larger_gradients_are_scaled_down_together(self) -> None:
        parameters = parameters_with([3.0], [0.0, 4.0])
        gradients = Gradients(largest_norm=1.0)
        gradients.take(2)
        assert gradients.finish(parameters) == 5.0
        torch.testing.assert_close(
            torch.cat([each.grad for each in parameters if each.grad is not None]).norm(), torch.tensor(1.0)
        )

    def test_smaller_ones_stay_to_the_bit(self) -> None:
        parameters = parameters_with([0.3, 0.1])
        gradients = Gradients(largest_norm=1.0)
        gradients.take(1)
        gradients.finish(parameters)
        assert parameters[0].grad is not None
        assert parameters[0].grad.tolist() == torch.tensor([0.3, 0.1]).tolist()

    def test_what_is_no_number_stays_for_the_loop_to_see(self) -> None:
        parameters = parameters_with([float("inf")])
        gradients = Gradients(largest_norm=1.0)
        gradients.take(1)
        assert gradients.finish(parameters) == float("inf")

    def test_frozen_parameters_have_none(self) -> None:
        parameters = [*parameters_with([3.0, 4.0]), nn.Parameter(torch.zeros(2))]
        gradients = Gradients(largest_norm=10.0)
        gradients.take(1)
        assert gradients.finish(parameters) == 5.0

    def test_the_limit_is_of_gradients_that_no_scaler_has_enlarged(self, tmp_path: Path) -> None:
        asked: list[object] = []

        class Noted(MixedPrecision):
            def unscale_gradients(self, optimizer: object) -> None:
                asked.append(optimizer)

        bench = Bench(tmp_path, epochs=1, model=tiny(), pipeline=Uneven((2,)))
        bench.gradients = Gradients(largest_norm=1.0)
        trainer = bench.trainer()
        trainer.fabric.strategy.precision = Noted("bf16-mixed", "cpu")
        trainer.run()
        assert [type(each).__name__ for each in asked] == ["Adam"]


def test_a_run_as_before_multiplies_nothing() -> None:
    gradients = Gradients()
    assert (gradients.take(3), gradients.due(epoch_ends=False)) == (1.0, True)


def test_what_waits_can_be_left_out() -> None:
    gradients = Gradients(batches_per_update=3)
    gradients.take(2)
    waiting = gradients.complete
    gradients.forget()
    assert (waiting, gradients.complete, gradients.take(4)) == (False, True, 1.0)


def test_samples_weigh_relative_to_the_first_batch() -> None:
    gradients = Gradients(batches_per_update=3)
    shares: Generator[float, None, None] = (gradients.take(samples) for samples in (4, 2, 1))
    assert list(shares) == [1.0, 0.5, 0.25]
    parameters = parameters_with([1.75])
    assert gradients.finish(parameters) == 1.0
