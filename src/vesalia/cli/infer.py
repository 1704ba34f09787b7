"""``vesalia infer``: predictions as NIfTI, each on its image's own grid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say, show_warnings
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
    from vesalia.inference.results import InferResult

__all__ = ["infer"]


def infer(
    mmar: Mmar,
    images: Annotated[
        list[Path] | None, typer.Argument(metavar="[IMAGE...]", help="Images; none takes the config's data list.")
    ] = None,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write to; the archive's eval folder if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Skip subjects whose results are there already.")] = False,
    device: DeviceOption = "auto",
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Predict with a trained model and write the results on each image's own grid."""

    def work() -> dict[str, Any]:
        from vesalia.api import EVALUATE_CONFIG, Archive  # late: nibabel and numpy
        from vesalia.cli.display import Steps
        from vesalia.runtime.interrupts import StopRequest

        if (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        with StopRequest() as stop, Steps("subjects", json_wanted=json_wanted) as steps:
            result = archive.infer(
                list(images or []),
                config=config or EVALUATE_CONFIG,
                environment=environment,
                overrides=settings or [],
                output=output,
                resume=resume,
                device=device,
                progress=steps,
                stop=stop,
            )
        show_warnings(result.warnings)
        if not json_wanted:
            _show(result)
        return result.to_dict()

    run(work, json_wanted=json_wanted)


def _show(result: InferResult) -> None:
    for case in result.cases:
        say("\n".join(map(str, case.files)))
    for path in result.files:
        say(str(path))
    if result.skipped:
        say(f"{len(result.skipped)} subjects were done before")
