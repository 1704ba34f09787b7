"""Memory that a cache takes against what its plan says, and what is left of it after close.

CT-sized volumes (512 x 512 x 60, int16, gzip) with labels, kept as whole numbers; then the same with a budget that
holds half of them. Memory is the proportional set size of the process (Linux), so that mapped files count, too. Two
plans are told before a start: from the files' headers alone (``vesalia check``, and the first line of a training), and
from the filled cache.

``ratio`` is the growth of memory over either plan, the one that is furthest from 1 (goal: 0.9 to 1.1).
``left`` is what is left after close, as a part of the plan.

    python benchmarks/memory_plan.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import gc
import tempfile
from pathlib import Path
from typing import Any

from resident import resident_bytes
from side_by_side import report, say
from stand_ins import TINY_UNET, archive_like, crop_chain, listed
from start_up import bind, volumes

from vesalia.api import Archive
from vesalia.pipelines.cached import RunSettings

GOAL = 0.1


def measure(data: Path, count: int, *, budget_gb: float | None) -> dict[str, Any]:
    """Fill, use and close a cache; bytes at each point."""
    gc.collect()
    before = resident_bytes()
    with bind(data, count, run=RunSettings(budget_gb=budget_gb)) as pipeline:
        pipeline.fill()
        plan = pipeline.plan()
        if plan is None:
            raise SystemExit("the pipeline has no cache")
        gc.collect()
        filled = resident_bytes()
    del pipeline
    gc.collect()
    after = resident_bytes()
    say(plan.to_text())
    return {
        "plan_bytes": plan.held_bytes,
        "taken_bytes": filled - before,
        "left_bytes": after - before,
        "held": plan.held,
        "budget_gb": budget_gb,
        "ratio": (filled - before) / plan.held_bytes,
        "left": (after - before) / plan.held_bytes,
    }


def foretold(folder: Path, data: Path, count: int) -> int:
    """What ``vesalia check`` says that the cache will take, from the headers of the files."""
    pipeline = {"num_cache_objects": count, "output_crop_size": [16] * 3}
    merge = [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]
    train = {"pre_transforms": crop_chain([16] * 3, crops=4), "batch_transforms": merge, "model": TINY_UNET}
    archive = archive_like(folder / "archive", train=train, pipeline=pipeline, validate=None)
    values = {"DATA_ROOT": data.parent, "DATASET_JSON": data}
    (found,) = Archive(archive).check(overrides=values, config="config/config_train.json", labels="none").data
    say(found.summary())
    return found.estimate.cache if found.estimate else 0


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    count, shape = (3, (64, 64, 32)) if asked.quick else (24, (512, 512, 60))
    with tempfile.TemporaryDirectory() as name:
        data = listed(Path(name), {"training": volumes(Path(name), count, shape)})
        measure(data, 2, budget_gb=None)  # libraries are loaded, threads had their memory
        whole = measure(data, count, budget_gb=None)
        half = measure(data, count, budget_gb=whole["plan_bytes"] * 0.5e-9)
        headers = foretold(Path(name), data, count)
    if half["plan_bytes"] > half["budget_gb"] * 1e9:
        raise SystemExit(f"the budget was exceeded: {half}")
    for title, found in (("all items", whole), ("half of them", half)):
        plan, taken, left = (found[name] / 1e6 for name in ("plan_bytes", "taken_bytes", "left_bytes"))
        say(f"{title:>12}: planned {plan:8.1f} MB, taken {taken:8.1f} MB, left after close {left:6.1f} MB")
    from_headers = whole["taken_bytes"] / headers
    ratio = max((whole["ratio"], half["ratio"], from_headers), key=lambda value: abs(value - 1))
    say(f"taken / foretold from the headers: {from_headers:.3f}")
    say(f"taken / planned, the worst: {ratio:.3f} (goal: within {GOAL:.0%})")
    figures = {"ratio": ratio, "left": max(whole["left"], half["left"]), "ratio_from_headers": from_headers}
    figures |= {"plan_bytes": whole["plan_bytes"], "foretold_bytes": headers, "taken_bytes": whole["taken_bytes"]}
    figures |= {"whole": whole, "half": half, "goal": GOAL}
    report("memory_plan", figures, keep=not asked.quick)


if __name__ == "__main__":
    main()
