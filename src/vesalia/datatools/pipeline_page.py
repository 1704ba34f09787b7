"""Where each second of a training goes, for people: the rows of a table, and a page with a picture."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from vesalia.datatools.pipeline_bench import PipelineBench
from vesalia.datatools.pipeline_costs import Costs, Setting, group_of, work_s
from vesalia.inference.chart import SERIES_COLOURS
from vesalia.inference.page import facts, page, section, table, tiles
from vesalia.runtime.machine import in_words

__all__ = ["Row", "bench_page", "readable_seconds", "rows"]

_WIDTH, _BAR, _GAP = 720, 30, 18
_MILLISECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Attributes:
        name: The stage.
        per_item: Seconds per item; None where it is not about items.
        per_step: Seconds per step; None where it is done once, before the first step.
        part: Whether it is a part of the row above.
    """

    name: str
    per_item: float | None = None
    per_step: float | None = None
    part: bool = False

    def cells(self) -> tuple[str, str, str]:
        """Name, time per item and time per step as text."""
        once = "once" if self.per_item is not None and self.per_step is None else ""
        return (
            self.name,
            "" if self.per_item is None else readable_seconds(self.per_item),
            once if self.per_step is None else readable_seconds(self.per_step),
        )


def rows(costs: Costs, setting: Setting) -> list[Row]:
    """The stages from the file to the step, in order; data is the work of one thread."""
    items = setting.items_per_step
    before = setting.made_per_step
    found = [
        row for group, stages in _grouped(costs.prefix).items() for row in _with_parts(group, stages, before or None)
    ]
    if setting.cached:
        found.append(Row("take from the cache", costs.lookup, costs.lookup * items))
    found += _with_parts("crop and augment", costs.augment, items)
    found.append(Row("batch", None, costs.batch))
    found += [Row(name, None, seconds) for name, seconds in costs.network.items()]
    found.append(Row("waiting for data", None, costs.waiting))
    return [*found, Row("a step, all in all", None, costs.step)]


def _with_parts(name: str, stages: Mapping[str, float], per_step: float | None) -> Iterator[Row]:
    whole = sum(stages.values())
    yield Row(name, whole, None if per_step is None else whole * per_step)
    for stage, seconds in stages.items():
        if stage != name and len(stages) > 1:
            yield Row(stage, seconds, None if per_step is None else seconds * per_step, part=True)


def _grouped(stages: Mapping[str, float]) -> dict[str, dict[str, float]]:
    groups: dict[str, dict[str, float]] = {}
    for stage, seconds in stages.items():
        groups.setdefault(stage if stage == "check and keep" else group_of(stage), {})[stage] = seconds
    return groups


def bench_page(bench: PipelineBench) -> str:
    """The findings as one HTML file."""
    costs, setting = bench.costs, bench.setting
    lines = rows(costs, setting)
    item = {**{name: sum(parts.values()) for name, parts in _grouped(costs.prefix).items()}, "augment": costs.augment_s}
    step = {"waiting for data": costs.waiting, **_inside_step(costs)}
    numbers = {
        "waiting for data": f"{costs.waiting_share:.1%}",
        "a step": readable_seconds(costs.step),
        "data of a step, in one thread": readable_seconds(work_s(costs, setting)),
        "the network of a step": readable_seconds(costs.network_s),
    }
    return page(
        f"Where the time goes: {bench.archive}",
        f"<header><h1>Where the time goes</h1><p>{escape(bench.archive)}, on {escape(bench.device)}</p></header>",
        tiles(numbers),
        section("What would help most", f"<p>{escape(bench.advice.text)}</p>"),
        section("Pictures", _bar("An item, in one thread", item), _bar("A step as it is configured", step)),
        section(
            "Stages",
            table(
                ["stage", "per item", "per step"],
                [row.cells() for row in lines],
                indent=[place for place, row in enumerate(lines) if row.part],
            ),
        ),
        section("Setting", facts(_facts(costs, setting))),
    )


def _inside_step(costs: Costs) -> dict[str, float]:
    """The network's stages, fitted into what a step has beside waiting: they were timed with nothing beside them."""
    left = max(costs.step - costs.waiting, 0.0)
    return {name: seconds * left / max(costs.network_s, 1e-9) for name, seconds in costs.network.items()}


def _facts(costs: Costs, setting: Setting) -> dict[str, str]:
    kept = f"{setting.cached} of {setting.items}, {setting.replaced} replaced after an epoch"
    return {
        "items": str(setting.items),
        "items of a step": str(setting.items_per_step),
        "crops of an item": str(setting.crops),
        "in the cache": kept if setting.cached else "no cache",
        "an item in the cache": in_words(costs.item_bytes),
        "num_workers": str(setting.workers),
        "cores": str(setting.cores),
        "steps measured": str(costs.steps),
    }


def _bar(title: str, parts: Mapping[str, float]) -> str:
    """One bar of several parts, with its legend."""
    whole = sum(parts.values())
    known = [(name, seconds) for name, seconds in parts.items() if seconds > 0]
    height = _GAP * (2 + len(known)) + _BAR
    drawn = [
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        f'<text class="chart-title" x="0" y="14">{escape(title)}: {readable_seconds(whole)}</text>',
    ]
    left = 0.0
    for place, (name, seconds) in enumerate(known):
        width, colour = _WIDTH * seconds / whole, place % SERIES_COLOURS
        words = f"{escape(name)}: {readable_seconds(seconds)}, {seconds / whole:.0%}"
        size = f'x="{left:.1f}" y="{_GAP + 4}" width="{width:.1f}" height="{_BAR}"'
        drawn.append(f'<rect class="fill-{colour}" {size}><title>{words}</title></rect>')
        y = 2 * _GAP + _BAR + place * _GAP
        drawn.append(f'<rect class="fill-{colour}" x="0" y="{y - 8}" width="14" height="8" rx="2"/>')
        drawn.append(f'<text class="label" x="22" y="{y}">{words}</text>')
        left += width
    return "".join([*drawn, "</svg>"])


def readable_seconds(seconds: float) -> str:
    """A duration for people: ``3.2 s``, ``12 ms``."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds:.0f} s"
    if seconds >= _MILLISECONDS:
        return f"{seconds / _MILLISECONDS:.3g} ms"
    return f"{seconds / _MILLISECONDS:.2f} ms"
