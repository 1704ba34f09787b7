"""The training loop: read :meth:`Trainer.run` from top to bottom, it is all that happens.

Everything optional is an object: the schedule knows when to stop and to validate, the listener shows and records,
the keeper writes files. The loop itself knows epochs, batches, gradients, and a request to stop.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import nn, optim

from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.losses.base import Loss
from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.components.models.base import Model, trained
from vesalia.errors import Interrupted, TrainingError
from vesalia.pipelines.batching import Batch
from vesalia.pipelines.order import steps_done
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Precision
from vesalia.runtime.seeds import derive, seed_global
from vesalia.runtime.stopwatch import stage
from vesalia.runtime.together import ALONE, Ranks
from vesalia.training.early_stop import EarlyStop
from vesalia.training.gradients import Gradients
from vesalia.training.keeper import Keeper
from vesalia.training.listener import Listener, ValidationReport
from vesalia.training.meter import Meter
from vesalia.training.schedule import Schedule
from vesalia.training.state import Counters, Stateful
from vesalia.training.supervision import supervised_loss
from vesalia.training.validation import Judged, Validation
from vesalia.training.weight_average import WeightAverage, wearing

__all__ = ["Trainer"]

_LOSS = "loss of the step"
_MOST_SKIPPED = 20
"""Steps in a row whose gradients are not finite, after which a training is given up."""


@dataclass(slots=True, kw_only=True)
class Trainer:
    """A training, ready to run; :mod:`vesalia.training.fit` builds it from a plan.

    Attributes:
        fabric: Devices, number format, gradients.
        model: The network itself, for its weights.
        network: The network with its regularisation, as Fabric wraps it, for the forward pass of a step.
        optimizer: As Fabric wraps it.
        loss: From probabilities and labels to a number.
        aux_ops: Extra values of each step.
        pipeline: Gives the batches of an epoch.
        validation: Judges the network; None for a config without a validation section.
        learning_rate: Learning rate to begin with.
        lr_policy: Changes it; None keeps it constant.
        schedule: Says how far the training is and when to validate.
        precision: Number format and memory layout.
        keeper: Writes weights and states.
        listener: Is told of everything.
        counters: Where the run stands.
        stop: Set when somebody asks the run to stop.
        early_stop: Says when the training has seen enough.
        gradients: How many batches make an update, and how large it may be.
        average: A moving average of the weights, judged and kept in their place; None for none.
        parts: What else has a state to resume from, by name.
        ranks: The processes that train together.
        epoch_over: Called by every rank at the end of an epoch, after a validation that is due, and before it leaves.
    """

    fabric: Fabric
    model: Model
    network: nn.Module
    optimizer: optim.Optimizer
    loss: Loss
    aux_ops: Sequence[AuxOp]
    pipeline: BoundPipeline
    validation: Validation | None
    learning_rate: float
    lr_policy: LearningRatePolicy | None
    schedule: Schedule
    precision: Precision
    keeper: Keeper
    listener: Listener
    counters: Counters
    stop: StopRequest
    early_stop: EarlyStop = field(default_factory=EarlyStop)
    gradients: Gradients = field(default_factory=Gradients)
    average: WeightAverage | None = None
    parts: Mapping[str, Stateful] = field(default_factory=dict)
    ranks: Ranks = ALONE
    epoch_over: Callable[[], None] = lambda: None
    meter: Meter = field(default_factory=Meter)
    _began: float = field(default_factory=time.monotonic)
    _seconds_before: float = 0.0

    def run(self) -> Counters:
        """Train to the end of the schedule; the best and the last model are on disk afterwards.

        Raises:
            Interrupted: A stop was asked for; the state is saved.
            TrainingError: The loss or the gradients stopped being numbers.
        """
        self._seconds_before, self._began = self.counters.seconds, time.monotonic()
        self.counters.finished = False
        self.model.train()
        self._rehearse_validation()
        while not self.schedule.finished:
            self._train_epoch()
        if self.counters.validated_step != self.counters.step:  # stopped before its last validation, and resumed
            self._validate()
        self.counters.finished = True
        self.keeper.save_last(self)
        return self.counters

    def _train_epoch(self) -> None:
        """One pass over the pipeline's items, or what is left of it."""
        now = self.counters
        self.meter.begin(self.pipeline)
        self.meter.restore(now.measured)  # of the epoch that is resumed
        now.measured = {}
        self.gradients.forget()  # what a time budget left over
        another = self.schedule.goes_on_after(now.epoch)
        given = self.pipeline.epoch(now.epoch - 1, done=now.items_in_epoch, another=another)
        with contextlib.closing(given) as batches:
            for batch in batches:
                if self.gradients.complete:
                    self.keeper.save_state_now_and_then(self)  # here, where no validation is pending
                self._train_batch(batch)
                if self.schedule.finished:
                    break
        self._end_epoch()

    def _train_batch(self, batch: Batch) -> None:
        """One step, and what may follow it: a request to stop, a validation that the clock asks for."""
        now = self.counters
        with stage("step"):
            samples, measured = self._step(batch)
        now.step += 1
        now.items_in_epoch = min(now.items_in_epoch + self.pipeline.items_per_step, self.pipeline.items)
        now.step_in_epoch = steps_done(now.items_in_epoch, self.pipeline.items, batch_size=self.pipeline.items_per_step)
        now.seconds = self._seconds_before + time.monotonic() - self._began
        self.schedule.stepped(epoch=now.epoch, step=now.step_in_epoch, steps_per_epoch=self.pipeline.steps_per_epoch)
        self.meter.add(measured.pop(_LOSS), measured, samples=samples)
        with stage("report"):
            self.listener.stepped(self.meter.step_report(now, self.schedule, learning_rate=self._used_rate()))
        if not self.gradients.complete:  # nothing to save or to judge between the batches of one update
            return
        if self.ranks.any(self.stop):
            self._leave()
        if not self.schedule.finished and self.schedule.due(epoch=now.epoch, epoch_ended=False):
            self._validate()

    def _end_epoch(self) -> None:
        now = self.counters
        if self.meter.steps:  # none where a run was stopped between an epoch's last step and its validation
            report = self.meter.epoch_report(now, self._used_rate())
            self.meter.clear()
            now.history.append(report.entry())
            self.listener.epoch_ended(report)
        unjudged = now.validated_step != now.step
        if unjudged and (self.schedule.due(epoch=now.epoch, epoch_ended=True) or self.schedule.finished):
            self._validate()
        if not self.schedule.finished:  # else a moving cache would wait for items that nobody takes
            self.pipeline.report_epoch_end()
        self.epoch_over()
        now.epoch += 1
        now.step_in_epoch = now.items_in_epoch = 0

    def _step(self, batch: Batch) -> tuple[int, dict[str, float]]:
        """One batch, and the update that may be due with it; returns the samples and the means over all ranks."""
        now = self.counters
        own_branch = (self.ranks.rank,) if self.ranks.rank else ()
        seed_global(derive(now.seed, "network", now.step, *own_branch), device=self.fabric.device)  # dropout's dice
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        with stage("transfer"):
            image = self.precision.arrange(self.fabric.to_device(batch.fields["image"]).float())
            target = self.fabric.to_device(batch.fields["label"])
        rows = len(image) if batch.counts else 0
        samples = round(self.ranks.total(rows)[0])
        if self.gradients.complete:
            self.optimizer.zero_grad()
        share = self.gradients.take(samples)
        due = self.gradients.due(epoch_ends=now.items_in_epoch + self.pipeline.items_per_step >= self.pipeline.items)
        together = self.ranks.world > 1
        with self.fabric.no_backward_sync(self.network, enabled=together and not due):  # type: ignore[arg-type]
            with stage("forward"):
                output = trained(self.network(image))
                total = supervised_loss(self.loss, output, target=target) + output.own_loss
            with stage("backward"):  # gradients are averaged over the ranks, each of which counts by its samples
                self.fabric.backward(total * (share * rows * self.ranks.world / samples))
        with torch.no_grad():
            tagged = [op(probabilities=output.probabilities, target=target, loss=total) for op in self.aux_ops]
        values = {_LOSS: total.detach(), **{tag: value for values in tagged for tag, value in values.items()}}
        measured = self._means(values, part=rows / samples)
        if due:
            with stage("update"):
                self._update(measured[_LOSS])
        return samples, measured

    def _means(self, values: Mapping[str, torch.Tensor], *, part: float) -> dict[str, float]:
        """The means over all ranks of values that are means over ``part`` of the samples."""
        weighed = [float(value) * part if part else 0.0 for value in values.values()]
        return dict(zip(values, self.ranks.total(*weighed), strict=True))

    def _update(self, loss: float) -> None:
        """Apply the gradients, unless they are not numbers: then leave this step out, as a gradient scaler does."""
        if self.gradients.largest_norm is not None:  # of gradients as they are, not as a scaler has enlarged them
            self.fabric.strategy.precision.unscale_gradients(getattr(self.optimizer, "optimizer", self.optimizer))
        usable = math.isfinite(self.gradients.finish(list(self.model.parameters()))) and math.isfinite(loss)
        if usable or self.precision.scales_gradients:
            self.optimizer.step()
        if usable and self.average:
            self.average.update(self.model)
        self.counters.skipped = 0 if usable else self.counters.skipped + 1
        if self.counters.skipped >= _MOST_SKIPPED:
            message = (
                f"training: found a loss of {loss} or gradients that are not finite in {_MOST_SKIPPED} steps in a row "
                f"(step {self.counters.step}), expected numbers; write a smaller learning_rate, or set use_amp to false"
            )
            raise TrainingError(message)

    def _used_rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def _rate(self) -> float:
        """The learning rate of the next step."""
        if self.lr_policy is None:
            return self.learning_rate
        now = self.counters
        stalls = (now.validations_without_gain, tuple(now.earlier_stalls))
        return self.lr_policy(self.learning_rate, Progress(min(self.schedule.fraction, 1.0), now.step, *stalls))

    def _rehearse_validation(self) -> None:
        """Tell the schedule what a validation costs, so that it can plan."""
        if self.validation and self.schedule.seconds_left() is not None:
            seconds = self.validation.rehearse(self.model, longest_s=self.schedule.validation_seconds())
            cases = -(-self.validation.source.items // self.ranks.world)
            self.schedule.rehearsed(seconds_per_case=seconds, cases=cases)

    def _validate(self) -> None:
        """Judge the network; keep it if it is the best so far (larger wins, strictly)."""
        if self.validation is None:
            return
        now = self.counters
        longest_s = self.schedule.validation_seconds()
        with wearing(self.average, self.model):
            judged = self.validation.run(self.model, listener=self.listener, stop=self.stop, longest_s=longest_s)
        if judged.stopped:
            self._leave()
        self.schedule.validated(seconds=judged.seconds)
        now.validated_step = now.step
        value = self.ranks.share(self.validation.key.compute() if self.ranks.first else 0.0)
        best = value > now.best
        if best and now.validations_without_gain:
            now.earlier_stalls.append(now.validations_without_gain)
        now.validations_without_gain = 0 if best else now.validations_without_gain + 1
        if best:
            now.best, now.best_epoch = value, now.epoch
        if reason := self.early_stop.reason(now):
            self.schedule.fraction = 1.0
            self.listener.warned(reason)
        report = self._report(judged, value, best=best)
        now.history.append(report.entry())
        if best:
            self.keeper.save_best(self)
            self.keeper.save_state(self)  # a resumed run must know of it
        self.listener.validated(report)
        self.meter.pause()

    def _report(self, judged: Judged, value: float, *, best: bool) -> ValidationReport:
        metrics = self.validation.metrics if self.validation and self.ranks.first else ()
        return ValidationReport(
            epoch=self.counters.epoch,
            step=self.counters.step,
            seconds=judged.seconds,
            cases=judged.cases,
            metrics={metric.name: metric.compute() for metric in metrics},
            per_class={metric.name: metric.per_class() for metric in metrics},
            key_metric=self.validation.key.name if self.validation else "",
            value=value,
            best=best,
            unprinted=tuple(metric.name for metric in metrics if not metric.do_print),
        )

    def _leave(self) -> None:
        """Save and go."""
        self.keeper.save_state(self)
        self.epoch_over()
        message = f"stopped at epoch {self.counters.epoch}, step {self.counters.step}; go on with --resume"
        asked = max(self.ranks.gather(self.stop.signal_number or 0))
        raise Interrupted(message, signal_number=asked or 2)
