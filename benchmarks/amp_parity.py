"""Dice after equal optimizer steps: float32 against AMP (``use_amp: true``), on the hippocampus example.

Both sides train the example's archive with the same seeds and as many steps; the rate falls over them, and the model a
side ends with is judged on the validation cases. Two trainings of one side differ by their seeds alone; that spread is
told, too. What AMP is on this machine (bfloat16, float16 with a scaler, or nothing) stands in ``formats``.

``ratio`` is the seconds per step of float32 over those of AMP; ``difference`` of the mean Dice is to stay within 0.005.
The sides take turns in going first, and the first epoch of a training is not timed: files are read, kernels chosen.
On a GPU the peak of its memory in the later epochs is told as well, before anything is judged.

    python benchmarks/amp_parity.py [DATA_FOLDER] [--epochs 10] [--seeds 3] [--quick]

Without DATA_FOLDER volumes of that size are made, in which the task is easy. Where AMP is float32 (a processor without
bfloat16) there is nothing to compare, and that is said.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from side_by_side import report, say
from stand_ins import TINY_UNET, archive_like, hippocampus_like

from vesalia.api import Archive
from vesalia.runtime.device import choose_device
from vesalia.runtime.precision import choose_precision
from vesalia.training.listener import EpochReport, Listener, RunStart, ValidationReport

GOAL = 0.005
SIDES = {"float32": False, "amp": True}


class Watch(Listener):
    """The number format, the last validation's key metric, and what epochs took after the first."""

    def __init__(self) -> None:
        self.format = ""
        self.dice = 0.0
        self.seconds = 0.0
        self.steps = 0
        self.memory_gb = 0.0
        self._before: int | None = None

    def started(self, report: RunStart) -> None:
        """Remember the format."""
        self.format = report.precision

    def epoch_ended(self, report: EpochReport) -> None:
        """Add the epoch's steps and seconds, without those of waiting for data; it is over before it is judged."""
        if self._before is not None:
            self.seconds += report.seconds * (1 - report.waiting_share)
            self.steps += report.step - self._before
            self.memory_gb = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0
        elif torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        self._before = report.step

    def validated(self, report: ValidationReport) -> None:
        """Remember the value."""
        self.dice = report.value


@dataclass
class Side:
    """What the trainings of one side came to."""

    dice: list[float] = field(default_factory=list)
    step_s: list[float] = field(default_factory=list)
    memory_gb: float = 0.0
    format: str = ""
    steps: int = 0


def train(archive: Path, data: Path, side: Side, *, seed: int) -> None:
    """One training."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_ROOT": data.parent, "DATASET_JSON": data, "MMAR_CKPT_DIR": folder}
        result = Archive(archive).train(overrides=values, seed=seed, listener=watch)
    side.dice.append(watch.dice)
    side.step_s.append(watch.seconds / watch.steps)
    side.steps, side.format = result.steps, watch.format
    side.memory_gb = max(side.memory_gb, watch.memory_gb)


def is_float32_too() -> bool:
    """Whether AMP is float32 on this machine; if so, say why."""
    chosen = choose_precision(choose_device("auto"), amp=True)
    if chosen.name == "32-true":
        say(f"nothing to compare ({chosen.note}); run it on a GPU, or on a processor with bfloat16")
        report("amp_parity", {"ratio": None, "goal": GOAL, "difference": None}, keep=False)
    return chosen.name == "32-true"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    if asked.epochs < 2:
        parser.error("--epochs: the first one is not timed, so there must be 2 at least")
    if is_float32_too():
        return
    epochs, seeds = (2, 1) if asked.quick else (asked.epochs, asked.seeds)
    sides = {name: Side() for name in SIDES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = {"training": 8, "validation": 2} if asked.quick else {"training": 160, "validation": 40}
        data = asked.data.resolve() / "dataset.json" if asked.data else hippocampus_like(folder / "data", **made)
        network = {"model": TINY_UNET} if asked.quick else {}
        for seed in range(seeds):
            turns = list(SIDES.items())
            for side, use_amp in turns if seed % 2 == 0 else reversed(turns):
                archive = archive_like(
                    folder / f"{side}-{seed}",
                    train=network,
                    epochs=epochs,
                    num_training_epoch_per_valid=epochs,
                    use_amp=use_amp,
                )
                train(archive, data, sides[side], seed=seed)
                found = sides[side]
                told = f"Dice {found.dice[-1]:.4f}, {found.step_s[-1]:.3f} s a step"
                say(f"seed {seed}, {side:>7} ({found.format}): {told}")
    plain, amp = sides["float32"], sides["amp"]
    means = {name: statistics.mean(side.dice) for name, side in sides.items()}
    difference = means["amp"] - means["float32"]
    say(f"mean Dice {means['float32']:.4f} (float32), {means['amp']:.4f} (AMP): {difference:+.4f}")
    figures = {
        "ratio": statistics.mean(plain.step_s) / max(statistics.mean(amp.step_s), 1e-9),
        "difference": difference,
        "goal": GOAL,
        "within_goal": abs(difference) <= GOAL,
        "spread": max(max(side.dice) - min(side.dice) for side in sides.values()),
        "dice": {name: side.dice for name, side in sides.items()},
        "step_s": {name: statistics.mean(side.step_s) for name, side in sides.items()},
        "formats": {name: side.format for name, side in sides.items()},
        "memory_gb": {name: side.memory_gb if torch.cuda.is_available() else None for name, side in sides.items()},
        "steps": plain.steps,
        "seeds": seeds,
    }
    report("amp_parity", figures, keep=not asked.quick)


if __name__ == "__main__":
    main()
