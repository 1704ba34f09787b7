"""The one change of a training that would help most, worked out from what was measured."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from vesalia.datatools.pipeline_costs import Costs, Setting, step_s
from vesalia.runtime.machine import in_words

__all__ = ["Advice", "advise"]

_WORTH = 1.05
"""A change that gains less is not worth an advice."""
_GB = 10**9
_MOVED = 0.1
"""``replace_percent`` of a cache that cannot hold the list."""
_MOST_WORKERS = 16
_CUT = 4
"""Crops of each volume where batches are cut from one."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A change and what it gains.

    Attributes:
        text: What to write, and what it gives.
        gain: How many times as fast epochs (or the run) would be.
    """

    text: str
    gain: float

    def to_dict(self) -> dict[str, Any]:
        """The advice as plain data."""
        return {"text": self.text, "gain": self.gain}


def advise(costs: Costs, setting: Setting) -> Advice:
    """The change that gains most; where none gains, what stands in the way."""
    found = [*_cache(costs, setting), *_workers(costs, setting), *_cuts(costs, setting), *_order(costs, setting)]
    best = max([*found, *_persist(costs, setting)], key=lambda advice: advice.gain, default=None)
    return best if best is not None and best.gain >= _WORTH else _nothing(costs, setting)


def _gain(costs: Costs, setting: Setting, changed: Setting) -> float:
    """How many times as fast steps would be."""
    return step_s(costs, setting) / max(step_s(costs, changed), 1e-9)


def _cache(costs: Costs, setting: Setting) -> Iterator[Advice]:
    """A cache where there is none, a larger one where there is room."""
    if setting.cached and setting.held == setting.cached and not setting.replaced:
        return
    kept = min(setting.items, setting.memory_bytes // max(costs.item_bytes, 1))
    if kept <= setting.held or kept < setting.items_per_step:
        return
    whole = kept == setting.items
    changed = replace(setting, cached=kept, held=kept, replaced=0 if whole else ceil(_MOVED * kept))
    gain = _gain(costs, setting, changed)
    memory = in_words(kept * costs.item_bytes)
    if not setting.cached:
        what = f"use the cache (a pipeline ...WithCache): num_cache_objects {kept}"
    elif setting.held < setting.cached:
        what = f"cache_budget_gb {ceil(kept * costs.item_bytes / _GB)}, num_cache_objects {kept}"
    else:
        what = f"num_cache_objects {setting.cached} -> {kept}"
    how = f"replace_percent {0 if whole else _MOVED} ({memory})"
    yield Advice(f"{what}, {how}: epochs would be {gain:.1f} times as fast", gain)


def _workers(costs: Costs, setting: Setting) -> Iterator[Advice]:
    count = max(setting.workers, 1)
    while (count := min(2 * count, setting.cores, _MOST_WORKERS)) > setting.workers:
        gain = _gain(costs, setting, replace(setting, workers=count))
        yield Advice(f"num_workers {setting.workers} -> {count}: epochs would be {gain:.1f} times as fast", gain)
        if count in {setting.cores, _MOST_WORKERS}:
            return


def _cuts(costs: Costs, setting: Setting) -> Iterator[Advice]:
    """Several crops of each volume: fewer volumes for as many crops."""
    if setting.crops > 1 or setting.items_per_step < 2:
        return
    crops = min(_CUT, setting.items_per_step)
    fewer = replace(costs, prefix={"all": costs.prefix_s / crops}, lookup=costs.lookup / crops)
    gain = step_s(costs, setting) / max(step_s(fewer, setting), 1e-9)
    text = (
        f"batch by transform: FastCropByPosNegRatio with batch_size {crops}, MergeBatchDims, and output_batch_size "
        f"{ceil(setting.items_per_step / crops)}: as many crops would be ready {gain:.1f} times as fast"
    )
    yield Advice(text, gain)


def _order(costs: Costs, setting: Setting) -> Iterator[Advice]:
    """Fixed steps that stand behind random ones are done again each time."""
    if not setting.cached or not setting.in_reach:
        return
    freed = max(0.0, costs.augment_s - sum(setting.in_reach.values()))
    gain = step_s(costs, setting) / max(step_s(replace(costs, augment={"all": freed}), setting), 1e-9)
    names = ", ".join(setting.in_reach)
    yield Advice(
        f"put {names} before the first random transform, if its result allows: then the cache holds what it gives, and "
        f"epochs would be {gain:.1f} times as fast",
        gain,
    )


def _persist(costs: Costs, setting: Setting) -> Iterator[Advice]:
    if not setting.cached:
        return
    fill = costs.prefix_s * setting.cached / max(1, min(setting.workers, setting.cores))
    run = setting.epochs * setting.steps_per_epoch * step_s(costs, setting)
    gain = (fill + run) / max(run, 1e-9)
    text = f"--persist-cache: from the second start on, the {fill:.0f} s that fill the cache are saved"
    yield Advice(f"{text}, and the run is {gain:.2f} times as fast", gain)


def _nothing(costs: Costs, setting: Setting) -> Advice:
    gain = costs.step / max(costs.step - costs.waiting, 1e-9)
    if gain >= _WORTH:
        text = f"data is waited for {costs.waiting_share:.0%} of the time, and no change of the config would mend it"
        return Advice(f"{text}: more cores, or a disk that is nearer", gain)
    where = "use_amp, or a smaller network" if setting.on_gpu else "a GPU, or a smaller network"
    text = f"the network is the slow part, and waits for data {costs.waiting_share:.1%} of the time"
    return Advice(f"{text}; only {where} would be faster", gain)
