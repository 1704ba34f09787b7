"""What the parts of a training step cost, and how long a step takes that is made of them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

__all__ = ["Costs", "Setting", "group_of", "in_step_s", "step_s", "work_s"]

_RESAMPLING = (
    "RestoreOriginalShape",
    "ScaleByFactor",
    "ScaleByResolution",
    "ScaleBySpacing",
    "ScaleToShape",
    "Resized",
    "Spacingd",
    "Zoomd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds, measured; work on items in one thread, the network with all cores or on its GPU.

    Attributes:
        prefix: Per item, by stage: from the file to the point where dice are thrown; what a cache does once.
        augment: Per item, by stage: from there to the batch.
        lookup: Per item: taking it from the cache, or 0.
        batch: Per step: putting items together.
        network: Per step, by stage: transfer, forward, backward, update, and the rest of the loop.
        waiting: Per step of the training as it is configured: the loop stood still for data.
        step: Per step of the training as it is configured: from one step to the next.
        item_bytes: What a cache keeps of an item.
        steps: Steps that were measured.
    """

    prefix: Mapping[str, float]
    augment: Mapping[str, float]
    lookup: float
    batch: float
    network: Mapping[str, float]
    waiting: float
    step: float
    item_bytes: int
    steps: int

    @property
    def prefix_s(self) -> float:
        """An item on its way to the point where dice are thrown."""
        return sum(self.prefix.values())

    @property
    def augment_s(self) -> float:
        """An item from there to the batch."""
        return sum(self.augment.values())

    @property
    def network_s(self) -> float:
        """All of a step that is not data."""
        return sum(self.network.values())

    @property
    def waiting_share(self) -> float:
        """The part of a step in which the loop stood still for data."""
        return min(1.0, self.waiting / self.step) if self.step > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data; times are seconds."""
        return {**asdict(self), "waiting_share": self.waiting_share}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the config and the machine say.

    Attributes:
        items: Items of the data list, duplicates included.
        cached: Items that a cache keeps; 0 without one.
        held: Those of them that fit into its budget and the memory; the others are made each time.
        replaced: Items that it replaces after an epoch.
        items_per_step: Items of a batch.
        crops: What the chain cuts out of an item.
        workers: ``num_workers``.
        cores: Cores that this process may use.
        on_gpu: Whether the network has a processor of its own.
        epochs: Epochs of the training.
        memory_bytes: Memory that a cache could have.
        in_reach: Fixed steps behind the first random one: names and seconds per item.
    """

    items: int
    cached: int
    held: int
    replaced: int
    items_per_step: int
    crops: int
    workers: int
    cores: int
    on_gpu: bool
    epochs: int
    memory_bytes: int
    in_reach: Mapping[str, float]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch."""
        return ceil((self.cached or self.items) / self.items_per_step)

    @property
    def made_per_step(self) -> float:
        """Items that are prepared anew, per step: all without a cache, those that it has no room for, or replaces."""
        if not self.cached:
            return self.items_per_step
        return self.items_per_step * (1 - self.held / self.cached) + self.replaced / self.steps_per_epoch

    def to_dict(self) -> dict[str, Any]:
        """The facts as plain data."""
        return {**asdict(self), "steps_per_epoch": self.steps_per_epoch}


def group_of(stage: str) -> str:
    """What a stage before the dice does: ``decode``, ``resample`` or ``other fixed steps``."""
    if stage.startswith("Load"):
        return "decode"
    return "resample" if stage in _RESAMPLING else "other fixed steps"


def in_step_s(costs: Costs, setting: Setting) -> float:
    """Work of one thread before dice are thrown, per step: on its items, less those that are held, and replacements."""
    return costs.prefix_s * setting.made_per_step + (costs.lookup * setting.items_per_step if setting.cached else 0.0)


def work_s(costs: Costs, setting: Setting) -> float:
    """Work of one thread that makes the batch of a step."""
    return in_step_s(costs, setting) + costs.augment_s * setting.items_per_step + costs.batch


def step_s(costs: Costs, setting: Setting) -> float:
    """How long a step takes: the slower of data and network; on a CPU they also share the cores."""
    work = work_s(costs, setting)
    if not setting.workers:
        return costs.network_s + work
    data = work / min(setting.workers, setting.cores)
    if setting.on_gpu:
        return max(data, costs.network_s)
    return max(data, costs.network_s + work / setting.cores)
