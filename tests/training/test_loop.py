"""The loop: equal to plain PyTorch, stopped and resumed to the bit, and clear about what goes wrong."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import optim

from tests.training.bench import RATE, Bench, Falling, assert_same, ears, tiny
from tests.training.fakes import (
    Clock,
    FakePipeline,
    Likeness,
    MeanSquare,
    SlowPipeline,
)
from vesalia.components.aux_ops.base import AuxOp
from vesalia.errors import Interrupted, TrainingError
from vesalia.runtime.interrupts import StopRequest
from vesalia.training.listener import Listener, StepReport, ValidationReport
from vesalia.training.schedule import BudgetSchedule, EpochSchedule
from vesalia.training.state import STATE_FILE, read_counters


class Stop(Listener):
    """Sends a real signal to this process after a step or inside a validation."""

    def __init__(self, *, after_step: int | None = None, in_validation: int | None = None) -> None:
        self.after_step = after_step
        self.in_validation = in_validation
        self.validations = 0

    def stepped(self, report: StepReport) -> None:
        if report.step == self.after_step:
            signal.raise_signal(signal.SIGINT)

    def validating(self, done: int, total: int) -> None:
        self.validations += done == 1
        if done == 1 and self.validations == self.in_validation:
            signal.raise_signal(signal.SIGTERM)


def test_parity_with_plain_pytorch(tmp_path: Path) -> None:
    """Twenty steps and more of a loop that anybody would write end with the same weights."""
    bench = Bench(tmp_path, epochs=7, model=tiny(reg_weight=1e-3), lr_policy=Falling())
    bench.trainer().run()

    model = tiny()
    optimizer = optim.Adam(model.parameters(), lr=RATE)
    pipeline, steps = FakePipeline(), 0
    model.train()
    for epoch in range(7):
        for step in range(3):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - steps / 21)
            batch = pipeline.batch(epoch, step)
            probabilities = torch.softmax(model.logits(batch.fields["image"]), dim=1)
            loss = (probabilities[:, 1] - batch.fields["label"][:, 0].float()).square().mean()
            kernels = (model.first.weight, model.last.weight)
            loss = loss + 1e-3 * sum((kernel.square().sum() / 2 for kernel in kernels), torch.zeros(()))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call,unused-ignore]
            optimizer.step()
            steps += 1
    assert steps > 20
    for name, value in model.state_dict().items():
        torch.testing.assert_close(bench.model.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_the_same_twice_is_the_same_to_the_bit(tmp_path: Path) -> None:
    benches = [Bench(tmp_path / str(number), model=tiny(dropout=0.5)) for number in range(2)]
    for bench in benches:
        torch.manual_seed(id(bench))  # the caller's dice must not matter
        bench.trainer().run()
    assert_same(benches[0].model, benches[1].model)


class TestStopping:
    @pytest.mark.parametrize("after_step", [1, 3, 4, 8, 12])
    def test_ctrl_c_saves_and_resuming_ends_as_if_nothing_had_been(self, tmp_path: Path, after_step: int) -> None:
        whole = Bench(tmp_path / "whole", model=tiny(dropout=0.3), lr_policy=Falling())
        whole.trainer().run()
        folder = tmp_path / "stopped"
        with StopRequest() as stop:
            stopped = Bench(
                folder, model=tiny(dropout=0.3), lr_policy=Falling(), listener=Stop(after_step=after_step), stop=stop
            )
            said = rf"stopped at epoch \d, step {after_step}; go on with --resume"
            with pytest.raises(Interrupted, match=said) as at:
                stopped.trainer().run()
        assert at.value.exit_code == 130
        resumed = Bench(folder, model=tiny(seed=99, dropout=0.3), lr_policy=Falling(), resume=True)
        counters = resumed.trainer().run()
        assert_same(whole.model, resumed.model)
        assert (counters.step, counters.finished) == (12, True)
        assert counters.best == read_counters(whole.folder).best  # type: ignore[union-attr]

    @pytest.mark.parametrize("in_validation", [1, 4])
    def test_sigterm_in_a_validation_saves_and_the_validation_is_done_again(
        self, tmp_path: Path, in_validation: int
    ) -> None:
        whole = Bench(tmp_path / "whole", model=tiny())
        whole.trainer().run()
        folder = tmp_path / "stopped"
        with StopRequest() as stop:
            stopped = Bench(folder, model=tiny(), listener=Stop(in_validation=in_validation), stop=stop)
            with pytest.raises(Interrupted) as at:
                stopped.trainer().run()
        assert at.value.exit_code == 143
        resumed = Bench(folder, model=tiny(seed=99), resume=True)
        resumed.trainer().run()
        assert_same(whole.model, resumed.model)
        judged = [report.step for report in ears(resumed).of("validated")]
        assert judged == [3, 6, 9, 12][in_validation - 1 :]

    def test_a_stopped_run_has_no_final_model_yet(self, tmp_path: Path) -> None:
        with StopRequest() as stop, pytest.raises(Interrupted):
            Bench(tmp_path, listener=Stop(after_step=2), stop=stop).trainer().run()
        assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]

    def test_ranks_hear_of_each_other_before_they_leave(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, listener=Stop(after_step=2))
        trainer = bench.trainer()
        heard: list[int] = []
        trainer.epoch_over = lambda: heard.append(trainer.counters.epoch)
        with bench.stop, pytest.raises(Interrupted):
            trainer.run()
        assert heard == [1]

    def test_the_source_of_batches_is_let_go(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, listener=Stop(after_step=2))
        with bench.stop, pytest.raises(Interrupted):
            bench.trainer().run()
        assert bench.pipeline.closed_epochs == 1

    def test_an_extended_run_goes_on_from_where_it_ended(self, tmp_path: Path) -> None:
        Bench(tmp_path, epochs=2, model=tiny()).trainer().run()
        longer = Bench(tmp_path, epochs=4, model=tiny(), resume=True)
        counters = longer.trainer().run()
        assert (counters.step, counters.finished) == (12, True)
        assert longer.pipeline.asked == [(2, 0), (3, 0)]

    def test_a_run_that_goes_on_is_not_finished_while_it_does(self, tmp_path: Path) -> None:
        Bench(tmp_path, epochs=2, model=tiny()).trainer().run()
        with StopRequest() as stop, pytest.raises(Interrupted):
            Bench(tmp_path, epochs=4, resume=True, listener=Stop(after_step=8), stop=stop).trainer().run()
        stored = read_counters(tmp_path)
        assert stored is not None
        assert not stored.finished


class TestBestAndLast:
    def test_the_best_and_the_last_are_written(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, metric=Likeness(script=[0.3, 0.7, 0.7, 0.5]))
        counters = bench.trainer().run()
        assert (counters.best, counters.best_epoch, counters.validations_without_gain) == (0.7, 2, 2)
        assert [report.best for report in ears(bench).of("validated")] == [True, True, False, False]
        best, last = (load_file(tmp_path / f"{name}.safetensors") for name in ("model", "model_final"))
        assert not torch.equal(best["last.weight"], last["last.weight"])
        assert torch.equal(last["last.weight"], bench.model.last.weight)

    def test_larger_wins_below_zero_too(self, tmp_path: Path) -> None:
        counters = Bench(tmp_path, metric=Likeness(script=[-3.0, -1.0, -2.0, -5.0])).trainer().run()
        assert (counters.best, counters.best_epoch) == (-1.0, 2)

    def test_a_metric_that_is_no_number_never_wins(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, metric=Likeness(script=[math.nan]))
        counters = bench.trainer().run()
        assert counters.best_epoch == 0
        best, last = (load_file(tmp_path / f"{name}.safetensors") for name in ("model", "model_final"))
        assert torch.equal(best["last.weight"], last["last.weight"])

    def test_without_a_validation_section_the_last_is_the_best(self, tmp_path: Path) -> None:
        counters = Bench(tmp_path, metric=None).trainer().run()
        assert counters.best_epoch == 0
        assert (tmp_path / "model.safetensors").read_bytes() == (tmp_path / "model_final.safetensors").read_bytes()

    def test_stretches_without_gain_are_remembered_for_the_learning_rate(self, tmp_path: Path) -> None:
        script = [0.1, 0.0, 0.0, 0.2, 0.1, 0.3, 0.2]
        counters = Bench(tmp_path, epochs=7, metric=Likeness(script=script)).trainer().run()
        assert counters.earlier_stalls == [2, 1]
        assert counters.validations_without_gain == 1


class TestValidations:
    @pytest.mark.parametrize(
        ("valid_every", "epochs", "judged"),
        [(1, 3, [1, 2, 3]), (2, 5, [2, 4, 5]), (3, 6, [3, 6]), (10, 4, [4])],
    )
    def test_they_come_at_multiples_counted_from_1_and_once_at_the_end(
        self, tmp_path: Path, valid_every: int, epochs: int, judged: list[int]
    ) -> None:
        bench = Bench(tmp_path, epochs=epochs, valid_every=valid_every)
        bench.trainer().run()
        assert [report.epoch for report in ears(bench).of("validated")] == judged

    def test_the_last_steps_are_judged_exactly_once(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=4, valid_every=2)
        bench.trainer().run()
        assert [report.step for report in ears(bench).of("validated")] == [6, 12]

    def test_the_threshold_ends_the_training(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=9, metric=Likeness(script=[0.2, 0.8, 0.9]), stop_threshold=0.8)
        counters = bench.trainer().run()
        assert (counters.step, counters.finished) == (6, True)
        assert (tmp_path / "model_final.safetensors").exists()

    def test_reports_hold_means_and_classes(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=1, metric=Likeness(script=[0.25]))
        bench.trainer().run()
        (report,) = ears(bench).of("validated")
        assert isinstance(report, ValidationReport)
        assert (report.metrics, report.per_class) == ({"likeness": 0.25}, {"likeness": (0.25,)})
        assert (report.key_metric, report.value, report.cases) == ("likeness", 0.25, 2)
        assert report.printed == report.metrics

    def test_reports_tell_what_is_not_to_be_printed(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=1, metric=Likeness(script=[0.25], do_print=False))
        bench.trainer().run()
        (report,) = ears(bench).of("validated")
        assert (report.unprinted, report.printed) == (("likeness",), {})


class TestTrouble:
    def test_a_loss_that_stays_nan_is_given_up_with_what_to_write(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=100, loss=MeanSquare(broken_from=5), model=tiny(), metric=None)
        with pytest.raises(TrainingError, match=r"found a loss of nan .* write a smaller learning_rate"):
            bench.trainer().run()
        assert all(torch.isfinite(value).all() for value in bench.model.state_dict().values())

    def test_a_step_whose_gradients_are_no_numbers_is_left_out(self, tmp_path: Path) -> None:
        class Once(MeanSquare):
            def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                value = super().__call__(probabilities, target)
                return value * torch.nan if self.calls == 2 else value

        bench = Bench(tmp_path, loss=Once(), metric=None)
        counters = bench.trainer().run()
        assert counters.step == 12
        assert all(torch.isfinite(value).all() for value in bench.model.state_dict().values())

    def test_an_error_of_the_pipeline_passes_and_the_epoch_is_closed(self, tmp_path: Path) -> None:
        class Broken(FakePipeline):
            def batch(self, index: int, step: int) -> Any:
                if step == 1:
                    raise FileNotFoundError("image.nii.gz")
                return super().batch(index, step)

        bench = Bench(tmp_path, pipeline=Broken())
        with pytest.raises(FileNotFoundError):
            bench.trainer().run()
        assert bench.pipeline.closed_epochs == 1


class TestTelling:
    def test_steps_and_epochs_are_told_in_order(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=2, metric=None)
        bench.trainer().run()
        assert [kind for kind, _ in ears(bench).heard] == [*["stepped"] * 3, "epoch_ended"] * 2
        assert [report.step for report in ears(bench).of("stepped")] == [1, 2, 3, 4, 5, 6]
        assert [report.epoch for report in ears(bench).of("epoch_ended")] == [1, 2]
        assert ears(bench).of("stepped")[-1].fraction == 1.0

    def test_aux_ops_are_told_per_epoch(self, tmp_path: Path) -> None:
        class Negative(AuxOp):
            def tags(self) -> tuple[str, ...]:
                return ("negative",)

            def __call__(
                self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
            ) -> dict[str, torch.Tensor]:
                return {"negative": -loss}

        bench = Bench(tmp_path, epochs=1, metric=None, aux_ops=(Negative(),))
        bench.trainer().run()
        (report,) = ears(bench).of("epoch_ended")
        assert report.values == {"negative": pytest.approx(-report.loss)}

    def test_the_learning_rate_told_is_the_policy_s(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, epochs=2, metric=None, lr_policy=Falling())
        bench.trainer().run()
        rates = [report.learning_rate for report in ears(bench).of("stepped")]
        assert rates == pytest.approx([RATE * (1 - done / 6) for done in range(6)])

    def test_the_pipeline_hears_that_epochs_end_unless_none_comes_after(self, tmp_path: Path) -> None:
        """A moving cache would load items that nobody takes, and the end of the training would wait for them."""
        bench = Bench(tmp_path, epochs=3, metric=None)
        bench.trainer().run()
        assert bench.pipeline.ended_epochs == 2
        assert bench.pipeline.asked == [(0, 0), (1, 0), (2, 0)]

    def test_an_epoch_that_the_clock_or_the_threshold_ends_is_not_reported_to_the_pipeline(
        self, tmp_path: Path
    ) -> None:
        clock = Clock()
        pipeline = SlowPipeline(clock, items=1000)
        bench = Bench(
            tmp_path / "clock", pipeline=pipeline, metric=None, schedule=BudgetSchedule(clock.now + 23, clock=clock)
        )
        assert 10 < bench.trainer().run().step < 30
        assert bench.pipeline.ended_epochs == 0
        enough = Bench(tmp_path / "enough", epochs=9, metric=Likeness(script=[0.2, 0.9]), stop_threshold=0.8)
        enough.trainer().run()
        assert enough.pipeline.ended_epochs == 1

    def test_seconds_go_on_counting_over_a_stop(self, tmp_path: Path) -> None:
        with StopRequest() as stop, pytest.raises(Interrupted):
            Bench(tmp_path, listener=Stop(after_step=2), stop=stop).trainer().run()
        before = read_counters(tmp_path)
        counters = Bench(tmp_path, resume=True).trainer().run()
        assert before is not None
        assert 0 < before.seconds < counters.seconds


def test_a_clock_may_ask_for_a_validation_inside_an_epoch(tmp_path: Path) -> None:
    class Impatient(EpochSchedule):
        asked = 0

        def due(self, *, epoch: int, epoch_ended: bool) -> bool:
            self.asked += 1
            return self.asked == 2

    bench = Bench(tmp_path, schedule=Impatient(2, 1))
    bench.trainer().run()
    assert [report.step for report in ears(bench).of("validated")] == [2, 6]
