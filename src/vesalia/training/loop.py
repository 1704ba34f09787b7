"""The training loop: read :meth:`Trainer.run` from top to bottom, it is all that happens.

Everything optional is an object: the schedule knows when to stop and to validate, the listener shows and records,
the keeper writes files. The loop itself knows epochs, batches, gradients, and a request to stop.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Sequence
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
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Precision
from vesalia.runtime.seeds import derive
from vesalia.training.early_stop import EarlyStop
from vesalia.training.gradients import Gradients
from vesalia.training.keeper import Keeper
from vesalia.training.listener import Listener, ValidationReport
from vesalia.training.meter import Meter
from vesalia.training.schedule import Schedule
from vesalia.training.state import Counters
from vesalia.training.supervision import supervised_loss
from vesalia.training.validation import Validation
from vesalia.training.weight_average import WeightAverage, wearing

__all__ = ["Trainer"]

_MOST_SKIPPED = 20
"""Steps in a row whose gradients are not finite, after which a training is given up."""


@dataclass(slots=True, kw_only=True)
class Trainer:
    """A training, ready to run; :mod:`vesalia.training.fit` builds it from a plan.

    Attributes:
        fabric: Devices, number format, gradients.
        model: The network itself, for weights and regularisation.
        network: The network as Fabric wraps it, for the forward pass of a step.
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
    _skipped: int = 0
    _began: float = field(default_factory=time.monotonic)
    _seconds_before: float = 0.0
    _meter: Meter = field(default_factory=Meter)

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
        self._meter.begin(self.pipeline)
        self.gradients.forget()  # what a time budget left over
        done = now.step_in_epoch * self.pipeline.items_per_step
        with contextlib.closing(self.pipeline.epoch(now.epoch - 1, done=done)) as batches:
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
        loss, values = self._step(batch)
        now.step += 1
        now.step_in_epoch += 1
        now.seconds = self._seconds_before + time.monotonic() - self._began
        self.schedule.stepped(epoch=now.epoch, step=now.step_in_epoch, steps_per_epoch=self.pipeline.steps_per_epoch)
        self._meter.add(loss, values, samples=len(batch.names))
        self.listener.stepped(self._meter.step_report(now, self.schedule, learning_rate=self._used_rate()))
        if not self.gradients.complete:  # nothing to save or to judge between the batches of one update
            return
        if self.stop:
            self._leave()
        if not self.schedule.finished and self.schedule.due(epoch=now.epoch, epoch_ended=False):
            self._validate()

    def _end_epoch(self) -> None:
        now = self.counters
        if self._meter.steps:  # none where a run was stopped between an epoch's last step and its validation
            self.listener.epoch_ended(self._meter.epoch_report(now, self._used_rate()))
        unjudged = now.validated_step != now.step
        if unjudged and (self.schedule.due(epoch=now.epoch, epoch_ended=True) or self.schedule.finished):
            self._validate()
        if not self.schedule.finished:  # else a moving cache would wait for items that nobody takes
            self.pipeline.report_epoch_end()
        now.epoch += 1
        now.step_in_epoch = 0

    def _step(self, batch: Batch) -> tuple[float, dict[str, float]]:
        """One batch, and the update that may be due with it; returns the loss and the aux-op values."""
        torch.manual_seed(derive(self.counters.seed, "network", self.counters.step))  # dropout's dice
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        image = self.precision.arrange(self.fabric.to_device(batch.fields["image"]).float())
        target = self.fabric.to_device(batch.fields["label"])
        output = trained(self.network(image))
        probabilities = output.probabilities
        loss = supervised_loss(self.loss, output, target)
        total = loss + output.own_loss + self.model.regularisation()
        if self.gradients.complete:
            self.optimizer.zero_grad()
        share = self.gradients.take(len(image))
        self.fabric.backward(total if share == 1 else total * share)
        if self.gradients.due(epoch_ends=self.counters.step_in_epoch + 1 >= self.pipeline.steps_per_epoch):
            self._update(float(total.detach()))
        with torch.no_grad():
            tagged = [op(probabilities=probabilities, target=target, loss=total) for op in self.aux_ops]
        return float(total.detach()), {tag: float(value) for values in tagged for tag, value in values.items()}

    def _update(self, loss: float) -> None:
        """Apply the gradients, unless they are not numbers: then leave this step out, as a gradient scaler does."""
        if self.gradients.largest_norm is not None:  # of gradients as they are, not as a scaler has enlarged them
            self.fabric.strategy.precision.unscale_gradients(getattr(self.optimizer, "optimizer", self.optimizer))
        usable = math.isfinite(self.gradients.finish(list(self.model.parameters()))) and math.isfinite(loss)
        if usable or self.precision.scales_gradients:
            self.optimizer.step()
        if usable and self.average:
            self.average.update(self.model)
        self._skipped = 0 if usable else self._skipped + 1
        if self._skipped >= _MOST_SKIPPED:
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
            self.schedule.rehearsed(seconds_per_case=seconds, cases=self.validation.source.items)

    def _validate(self) -> None:
        """Judge the network; keep it if it is the best so far (larger wins, strictly)."""
        if self.validation is None:
            return
        now = self.counters
        longest_s = self.schedule.validation_seconds()
        with wearing(self.average, self.model):
            cases, seconds = self.validation.run(
                self.model, listener=self.listener, stop=self.stop, longest_s=longest_s
            )
        if self.stop:
            self._leave()
        self.schedule.validated(seconds=seconds)
        now.validated_step = now.step
        value = self.validation.key.compute()
        best = value > now.best
        if best and now.validations_without_gain:
            now.earlier_stalls.append(now.validations_without_gain)
        now.validations_without_gain = 0 if best else now.validations_without_gain + 1
        if best:
            now.best, now.best_epoch = value, now.epoch
        if reason := self.early_stop.reason(now):
            self.schedule.fraction = 1.0
            self.listener.warned(reason)
        if best:
            self.keeper.save_best(self)
            self.keeper.save_state(self)  # a resumed run must know of it
        self.listener.validated(self._report(seconds, cases, value, best=best))
        self._meter.pause()

    def _report(self, seconds: float, cases: int, value: float, *, best: bool) -> ValidationReport:
        metrics = self.validation.metrics if self.validation else ()
        return ValidationReport(
            epoch=self.counters.epoch,
            step=self.counters.step,
            seconds=seconds,
            cases=cases,
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
        message = f"stopped at epoch {self.counters.epoch}, step {self.counters.step}; go on with --resume"
        raise Interrupted(message, signal_number=self.stop.signal_number or 2)
