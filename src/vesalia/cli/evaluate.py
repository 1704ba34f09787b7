"""``vesalia evaluate``: judge a trained model and write the report."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import attempt, run, say, show_warnings
from vesalia.cli.arguments import (
    AllowCustomCode,
    ConfigOption,
    DeviceOption,
    EnvironmentOption,
    JsonOption,
    Mmar,
    Settings,
)
from vesalia.cli.launched import leave_to_rank_zero

if TYPE_CHECKING:
    from vesalia.inference.results import EvaluateResult

__all__ = ["evaluate", "judges", "summary"]


def evaluate(
    mmar: Mmar,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    predictions: Annotated[
        bool | None, typer.Option("--predictions/--no-predictions", help="Write predictions as NIfTI too.")
    ] = None,
    device: DeviceOption = "auto",
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Judge a trained model: metrics as CSV and JSON, and an HTML report with pictures."""

    def work() -> dict[str, Any]:
        from vesalia.api import EVALUATE_CONFIG, Archive  # late: nibabel and numpy
        from vesalia.cli.display import Steps
        from vesalia.runtime.interrupts import StopRequest

        if (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        with StopRequest() as stop, Steps("subjects", json_wanted=json_wanted) as steps:
            result = archive.evaluate(
                config=config or EVALUATE_CONFIG,
                environment=environment,
                overrides=settings or [],
                write_predictions=predictions,
                device=device,
                progress=steps,
                stop=stop,
            )
        show_warnings(result.warnings)
        if not json_wanted:
            say(summary(result))
        return result.to_dict()

    run(work, json_wanted=json_wanted)


def judges(
    mmar: Path, *, config: str, environment: str, settings: Sequence[str], allow_custom_code: bool, json_wanted: bool
) -> bool:
    """Whether the config asks to be judged (``do_validation`` after precedence); if that is wrong, answer and leave.

    Raises:
        SystemExit: The config has faults.
    """

    def work() -> bool:
        from vesalia.api import Archive  # late: nibabel and numpy

        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        return archive.judges(config=config, environment=environment, overrides=settings)

    try:
        return attempt(work, json_wanted=json_wanted)
    except typer.Exit as left:
        sys.exit(left.exit_code)


def summary(result: EvaluateResult) -> str:
    """The result in a few lines."""
    lines = [
        f"{name}: {found.overall.mean:.4f} over {found.overall.count} subjects together"
        if found.is_pooled
        else f"{name}: mean {found.overall.mean:.4f}, median {found.overall.median:.4f}, "
        f"{found.overall.minimum:.4f} to {found.overall.maximum:.4f} over {found.overall.count} subjects"
        for name, found in result.metrics.items()
    ]
    return "\n".join([*lines, f"report: {result.files['report']}"])
