"""One step on a copy of the network, timed: what a plan needs to know to foretell how long the network waits."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch

from vesalia.components.losses.base import Loss
from vesalia.components.models.base import Model, trained
from vesalia.pipelines.batching import Batch
from vesalia.runtime.precision import Precision
from vesalia.training.supervision import supervised_loss
from vesalia.training.trainee import Trainee

__all__ = ["TrialStep"]

_ENOUGH_S = 1.0
"""A step that takes this long is not tried again: the first one, which sets things up, is then near enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStep:
    """Times what a training step will take: forward, loss and backward, without the update.

    Copies are tried, so that weights, running statistics and dice are afterwards as they were.

    Attributes:
        model: The network, on its device.
        loss: The loss.
        device: Where it trains.
        precision: Knows the number format.
    """

    model: Model
    loss: Loss
    device: torch.device
    precision: Precision

    def __call__(self, batch: Batch) -> float:
        """Seconds of a step with ``batch``; 0 where the step fails, which the training will tell better."""
        devices = [self.device] if self.device.type == "cuda" else []
        try:
            with torch.random.fork_rng(devices=devices):
                return self._time(batch)
        except Exception:  # noqa: BLE001 - code of an archive may raise anything, and the first real step says it
            return 0.0
        finally:
            if devices:  # pragma: no cover - needs a GPU
                torch.cuda.empty_cache()

    def _time(self, batch: Batch) -> float:
        network, loss = Trainee(copy.deepcopy(self.model)).train(), copy.deepcopy(self.loss)
        image = self.precision.arrange(batch.fields["image"].to(self.device).float())
        target = batch.fields["label"].to(self.device)
        took = 0.0
        for _ in range(2):
            began = time.perf_counter()
            with self.precision.autocast(self.device):
                output = trained(network(image))
            widened = tuple(each.float() for each in output.deeper)
            output = output._replace(probabilities=output.probabilities.float(), deeper=widened)
            total = supervised_loss(loss, output, target=target) + output.own_loss
            total.backward()
            float(total.detach())  # waits for a GPU
            took = time.perf_counter() - began
            if took > _ENOUGH_S:
                break
        return took
