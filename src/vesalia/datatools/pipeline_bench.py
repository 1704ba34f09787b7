"""Where each second of a training goes: a few steps of it, timed stage by stage, and once more as it is configured.

The training is the real one, in a folder of its own and on some of its subjects. The first time everything happens in
one thread, so that each stage is seen alone; the second time the workers are at work, so that waiting is real.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import copy
import json
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import torch

from vesalia.datatools.pipeline_advice import Advice, advise
from vesalia.datatools.pipeline_costs import Costs, Setting
from vesalia.errors import Interrupted
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import ComponentPlan, TrainPlan
from vesalia.pipelines.plan import room_for_items
from vesalia.pipelines.smart_cache import replaced_per_epoch
from vesalia.runtime.device import choose_device
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.jsonfile import read_json
from vesalia.runtime.machine import usable_cores
from vesalia.runtime.stopwatch import Spent, Stopwatch
from vesalia.training.fit import TrainOptions, fit
from vesalia.training.listener import Listener, StepReport
from vesalia.transforms.compose import Compose

__all__ = ["PipelineBench", "bench_pipeline"]

_FEWEST_ITEMS = 8
_WARM = 3
_LONGEST_S = 60.0
"""Seconds after which a pass ends, if it has measured two steps."""
_ENDLESS = 1_000_000
_CACHE_ARGUMENT = "num_cache_objects"

Stages = Mapping[tuple[str, ...], Spent]
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PipelineBench:
    """What was found.

    Attributes:
        archive: The archive's name.
        device: Where the network ran.
        costs: What was measured.
        setting: What config and machine say.
        advice: The change that would help most.
    """

    archive: str
    device: str
    costs: Costs
    setting: Setting
    advice: Advice

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain data."""
        return {
            "archive": self.archive,
            "device": self.device,
            "costs": self.costs.to_dict(),
            "setting": self.setting.to_dict(),
            "advice": self.advice.to_dict(),
        }


def bench_pipeline(
    plan: TrainPlan, *, steps: int = 20, device: str = "auto", progress: Tell | None = None
) -> PipelineBench:
    """Train a few steps of ``plan`` in a temporary folder and see where the time goes.

    Args:
        plan: A checked plan; its own files are not touched.
        steps: Steps to measure in each of the two passes; fewer where they are slow.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        progress: Is told how many of how many steps are done.

    Raises:
        DataError: Subjects cannot be used.
    """
    chosen = choose_device(device)
    facts = _Facts.of(plan)
    tell = _Told(2 * (_WARM + steps) + facts.ahead, progress)
    with tempfile.TemporaryDirectory(prefix="vesalia-bench-") as folder:
        lists = _some_items(plan, Path(folder), facts)
        alone = replace(lists, checkpoint_dir=Path(folder) / "alone", image_pipeline=_with(lists, num_workers=0))
        passed = _Pass(tell, warm=_WARM, steps=steps).run(alone, device)
        usual = passed
        if facts.workers:
            usual = _Pass(tell, warm=_WARM + facts.ahead, steps=steps).run(
                replace(lists, checkpoint_dir=Path(folder) / "usual"), device
            )
        item_bytes = _item_bytes(lists)
    tell.end()
    costs = _costs(passed, usual, item_bytes=item_bytes)
    setting = facts.setting(plan, costs, on_gpu=chosen.type != "cpu")
    return PipelineBench(plan.archive.root.name, str(chosen), costs, setting, advise(costs, setting))


@dataclass(slots=True)
class _Told:
    """Counts the steps of both passes."""

    total: int
    progress: Tell | None
    done: int = 0

    def step(self) -> None:
        self.done = min(self.done + 1, self.total - 1)
        self._tell()

    def end(self) -> None:
        self.done = self.total
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a plan says of its pipeline."""

    items: int
    cached: int
    replaced: int
    items_per_step: int
    workers: int
    ahead: int

    @staticmethod
    def of(plan: TrainPlan) -> _Facts:
        pipeline = plan.image_pipeline
        items = len(_entries(plan)) * int(pipeline.argument("duplicate_count", 1))
        keeps = _CACHE_ARGUMENT in pipeline.args and pipeline.argument("caches_data", default=True)
        cached = min(int(pipeline.argument(_CACHE_ARGUMENT, 0)), items) if keeps else 0
        fraction = float(pipeline.argument("replace_percent", 0.0)) if cached else 0.0
        by_transforms = bool(pipeline.argument("batched_by_transforms", default=False))
        per_step = 1 if by_transforms else int(pipeline.argument("output_batch_size", 1))
        workers = int(pipeline.argument("num_workers", 4))
        return _Facts(
            items,
            cached,
            replaced_per_epoch(items, num_cache_objects=cached, replace_percent=fraction) if fraction else 0,
            per_step,
            workers,
            ceil(max(int(pipeline.argument("prefetch_size", 20)), workers) / per_step),
        )

    def setting(self, plan: TrainPlan, costs: Costs, *, on_gpu: bool) -> Setting:
        fixed = _fixed_behind_dice(plan)
        room = room_for_items(plan.image_pipeline.argument("cache_budget_gb"))
        return Setting(
            items=self.items,
            cached=self.cached,
            held=min(self.cached, room // max(costs.item_bytes, 1)),
            replaced=self.replaced,
            items_per_step=self.items_per_step,
            crops=_crops(plan),
            workers=self.workers,
            cores=usable_cores(),
            on_gpu=on_gpu,
            epochs=plan.epochs,
            memory_bytes=room_for_items(None),
            in_reach={name: seconds for name, seconds in costs.augment.items() if name in fixed},
        )


@dataclass(slots=True)
class _Pass(Listener):
    """One training of a few steps; listens, and asks it to stop."""

    tell: _Told
    warm: int
    steps: int
    watch: Stopwatch = field(default_factory=Stopwatch)
    stop: StopRequest = field(default_factory=StopRequest)
    filled: dict[tuple[str, ...], Spent] = field(default_factory=dict)
    spent: dict[tuple[str, ...], Spent] = field(default_factory=dict)
    done: int = 0
    seconds: float = 0.0
    began: float = 0.0

    def run(self, plan: TrainPlan, device: str) -> _Pass:
        """Train; the figures are in the attributes afterwards."""
        if choose_device(device).type == "cuda":
            self.watch = Stopwatch(torch.cuda.synchronize)
        with self.watch, contextlib.suppress(Interrupted):  # the listener asks for it
            fit(plan, TrainOptions(device=device, seed=0), listener=self, stop=self.stop)
        return self

    def stepped(self, report: StepReport) -> None:
        """Begin to measure when everything is warm, and stop when enough was seen."""
        now = time.perf_counter()
        if not self.done:
            self.filled = {path: spent for path, spent in copy.deepcopy(self.watch.spent).items() if path[0] == "fill"}
        self.done += 1
        self.tell.step()
        measured = self.done - self.warm
        if measured <= 0:
            self.watch.clear()
            self.began = now
        elif not self.spent and (measured == self.steps or (measured > 1 and now - self.began > _LONGEST_S)):
            self.spent = copy.deepcopy(self.watch.spent)
            self.seconds = (now - self.began) / measured
            self.steps = measured
            self.stop.signal_number = signal.SIGINT


def _entries(plan: TrainPlan) -> list[Any]:
    content = read_json(Path(plan.image_pipeline.argument("data_list_file_path")))
    found: list[Any] = content[plan.image_pipeline.argument("data_list_key")]
    return found


def _with(plan: TrainPlan, **changes: Any) -> ComponentPlan:
    """The image pipeline with other arguments, as far as it takes them."""
    pipeline = plan.image_pipeline
    taken = {name: value for name, value in changes.items() if name in pipeline.args or name in pipeline.defaults}
    return replace(pipeline, args={**pipeline.args, **taken})


def _some_items(plan: TrainPlan, folder: Path, facts: _Facts) -> TrainPlan:
    """The plan for some of its items, from all over the list, without validation and without an end."""
    entries = _entries(plan)
    count = min(len(entries), max(_FEWEST_ITEMS, facts.items_per_step))
    some = [entries[place * len(entries) // count] for place in range(count)]
    file, key = Path(plan.image_pipeline.argument("data_list_file_path")), plan.image_pipeline.argument("data_list_key")
    listed = folder / "some.json"
    listed.write_text(json.dumps({**read_json(file), key: some}), encoding="utf-8")
    times = ceil(facts.items_per_step / count)  # a short list that fills a batch by being repeated
    changes = {
        "data_list_file_path": str(listed),
        "duplicate_count": times,
        _CACHE_ARGUMENT: count * times,
        "replace_percent": 0.0,
    }
    return replace(
        plan,
        epochs=_ENDLESS,
        validate=None,
        handlers=(),
        multi_gpu=False,
        trackers=(),
        image_pipeline=_with(plan, **changes),
    )


def _fixed_behind_dice(plan: TrainPlan) -> set[str]:
    _, rest = Compose(Builder(plan.archive).build_all(plan.pre_transforms)).split_deterministic()
    return {step.called for step in rest.transforms if step.deterministic}


def _item_bytes(plan: TrainPlan) -> int:
    """What one item takes, as a cache keeps it; of a pipeline without a cache, once it is ready for the dice."""
    builder = Builder(plan.archive)
    chain = builder.build_all(plan.pre_transforms)
    pipeline = builder.build(_with(plan, num_workers=0, num_cache_objects=1))
    with pipeline.bind(transforms=chain, seed=0) as bound:
        bound.fill()
        if held := bound.plan():
            return int(held.item_bytes)
    prefix, _ = Compose(chain).split_deterministic()
    if not prefix.transforms:
        return 0
    with pipeline.bind(transforms=prefix.transforms, seed=0) as bound:
        item = next(bound.samples())
    return sum(volume.data.nbytes for volume in item.fields.values())


def _costs(alone: _Pass, usual: _Pass, *, item_bytes: int) -> Costs:
    per_step, items = alone.steps, max(1, _calls(alone.spent, "augment"))
    ready = {**alone.filled, **alone.spent}
    filled = bool(alone.filled) and len(alone.filled) > 1
    place = "fill" if filled else "item"
    made = max((spent.calls for path, spent in ready.items() if path[:-1] and path[-2] == place), default=1)
    waited = sum(spent.seconds for path, spent in usual.spent.items() if path[0] == "wait")
    return Costs(
        prefix=_inside(ready, place, over=made, rest="check and keep"),
        augment=_inside(alone.spent, "augment", over=items, rest="other"),
        lookup=_total(alone.spent, "item") / items if filled else 0.0,
        batch=_total(alone.spent, "batch") / per_step,
        network=_network(alone.spent, per_step),
        waiting=waited / usual.steps,
        step=usual.seconds,
        item_bytes=item_bytes,
        steps=usual.steps,
    )


def _network(spent: Stages, steps: int) -> dict[str, float]:
    names = ("transfer", "forward", "backward", "update", "step", "report")
    shown = {"step": "loss values and aux_ops", "report": "display and records"}
    return {shown.get(name, name): _own(spent, name) / steps for name in names}


def _inside(spent: Stages, around: str, *, over: int, rest: str) -> dict[str, float]:
    """Seconds by the stage right below ``around``; what is in none is ``rest``."""
    found: dict[str, float] = {}
    for path, entry in spent.items():
        if around in path:
            below = path[path.index(around) + 1 :]
            name = below[0] if below else rest
            found[name] = found.get(name, 0.0) + entry.seconds / over
    return found


def _total(spent: Stages, name: str) -> float:
    return sum(entry.seconds for path, entry in spent.items() if name in path)


def _own(spent: Stages, name: str) -> float:
    return sum(entry.seconds for path, entry in spent.items() if path[-1] == name)


def _calls(spent: Stages, name: str) -> int:
    return sum(entry.calls for path, entry in spent.items() if path[-1] == name)


def _crops(plan: TrainPlan) -> int:
    """What the chain cuts out of each volume."""
    asked = (step.argument("batch_size", 1) for step in plan.pre_transforms if "Crop" in step.name)
    return max([1, *(int(count) for count in asked if count)])
