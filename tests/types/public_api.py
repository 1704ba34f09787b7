"""How the public face is used, as types: never run, judged by mypy. An annotation that is wrong here is a break."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import vesalia
from vesalia.imaging.volume import Volume
from vesalia.inference.results import InferResult
from vesalia.training.result import TrainResult

__all__ = ["OwnListener", "a_face_in_few_lines", "errors_hold_faults"]


def a_face_in_few_lines(root: Path) -> None:
    """The verbs and what they give."""
    archive: vesalia.Archive = vesalia.Archive(root, allow_custom_code=False)
    report: vesalia.CheckReport = archive.check(overrides={"epochs": 2, "use_amp": False})
    ready: bool = report.ok
    trained: TrainResult = archive.train(overrides=["epochs=2"], budget_s=60.0, seed=1)
    best: float = trained.best_metric
    weights: Path = trained.best_model
    judged = archive.evaluate()
    output: Path = judged.output_dir
    inferred: InferResult = archive.infer([root / "a.nii.gz", "b.nii.gz"], output=output)
    written: list[Path] = [path for case in inferred.cases for path in case.files]
    predicted: Volume = archive.predict(root / "a.nii.gz")
    spacing_mm: tuple[float, ...] = predicted.spacing_mm
    del ready, best, weights, written, spacing_mm


def errors_hold_faults(root: Path) -> list[str]:
    """What goes wrong is data, too."""
    try:
        vesalia.Archive(root).check()
    except vesalia.UserError as error:
        found: tuple[vesalia.Fault, ...] = error.faults
        return [fault.key for fault in found]
    return []


class OwnListener(vesalia.Listener):
    """A listener of one's own hears what it wants to."""

    def warned(self, message: str) -> None:
        """Keep quiet."""
