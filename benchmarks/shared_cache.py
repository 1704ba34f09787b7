"""Memory of two ranks with one cache against that of one process: all of it, libraries and batches included.

CT-sized volumes (512 x 512 x 60, int16, gzip) with labels. Each rank is a process of its own that fills its part of
the cache, then takes an epoch of crops. Memory, while all of them hold the cache (Linux): the sum of their
proportional set sizes without shared memory, and once the files of the cache, whether or not their pages were touched.
The first side is one process with its cache in its own memory, as a training alone has it.

    python benchmarks/shared_cache.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import multiprocessing
import secrets
import tempfile
from pathlib import Path
from typing import Any

from resident import resident_bytes
from side_by_side import report, say
from stand_ins import listed
from start_up import bind, volumes

from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.order import Shard

GOAL = 1.2
WAIT_S = 600


def rank(data: Path, count: int, *, shard: Shard, session: str, meeting: Any, told: Any) -> None:
    """Fill, take an epoch, tell the memory while all hold their caches."""
    with bind(data, count, shard=shard, run=RunSettings(session=session)) as pipeline:
        meeting.wait(WAIT_S)
        pipeline.fill()
        meeting.wait(WAIT_S)
        for batch in pipeline.epoch(0):
            float(batch.fields["image"].sum())
        meeting.wait(WAIT_S)
        plan = pipeline.plan()
        own = resident_bytes() - (resident_bytes("Pss_Shmem") if session else 0)
        told.put((shard.rank, own, plan.held_bytes if plan and session else 0, plan.to_text() if plan else ""))
        meeting.wait(WAIT_S)


def together(data: Path, count: int, world: int) -> int:
    """Bytes of ``world`` processes together."""
    spawn = multiprocessing.get_context("spawn")
    meeting, told, session = spawn.Barrier(world), spawn.Queue(), secrets.token_hex(4) if world > 1 else ""
    processes = [
        spawn.Process(
            target=rank,
            args=(data, count),
            kwargs={"shard": Shard(number, world), "session": session, "meeting": meeting, "told": told},
        )
        for number in range(world)
    ]
    for process in processes:
        process.start()
    answers = sorted(told.get(timeout=WAIT_S) for _ in processes)
    for process in processes:
        process.join(WAIT_S)
    for number, own, shared, plan in answers:
        say(f"rank {number} of {world}: {own / 1e6:8.1f} MB of its own, {shared / 1e6:.1f} MB shared; {plan}")
    return int(sum(own for _, own, _, _ in answers) + max(shared for _, _, shared, _ in answers))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    count, shape = (3, (64, 64, 32)) if asked.quick else (48, (512, 512, 60))
    with tempfile.TemporaryDirectory() as name:
        data = listed(Path(name), {"training": volumes(Path(name), count, shape)})
        one, two = (together(data, count, world) for world in (1, 2))
    ratio = two / one
    say(f"two ranks {two / 1e6:.1f} MB, one {one / 1e6:.1f} MB: {ratio:.2f} times (goal: {GOAL})")
    figures = {"ratio": ratio, "two_ranks_bytes": two, "one_process_bytes": one, "volumes": count, "goal": GOAL}
    report("shared_cache", figures, keep=not asked.quick)


if __name__ == "__main__":
    main()
