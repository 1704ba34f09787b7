"""``vesalia bench``: measure a training before it is run."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import (
    AllowCustomCode,
    ConfigOption,
    DeviceOption,
    EnvironmentOption,
    JsonOption,
    Mmar,
    Settings,
)

if TYPE_CHECKING:
    from vesalia.datatools.pipeline_bench import PipelineBench

__all__ = ["app", "pipeline"]

app = typer.Typer(help="Measure a training before it is run.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Measure a training before it is run."""


@app.command("pipeline")
def pipeline(
    mmar: Mmar,
    *,
    steps: Annotated[int, typer.Option(min=2, help="Steps to measure, twice; fewer where they are slow.")] = 20,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The page to write; eval/pipeline.html if not given.")
    ] = None,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    device: DeviceOption = "auto",
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """See where each second of a training goes, and the one change that would help most; no model is written."""

    def work() -> dict[str, Any]:
        from vesalia.api import TRAIN_CONFIG, Archive  # late: nibabel and numpy
        from vesalia.cli.display import Steps
        from vesalia.datatools.pipeline_page import bench_page  # late: torch
        from vesalia.runtime.files import write_text

        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        with Steps("steps", json_wanted=json_wanted) as shown:
            found = archive.bench_pipeline(
                steps=steps,
                config=config or TRAIN_CONFIG,
                environment=environment,
                overrides=settings or [],
                device=device,
                progress=shown,
            )
        file = archive.root / "eval" / "pipeline.html" if out is None else out
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, bench_page(found))
        if not json_wanted:
            _show(found, file)
        return {**found.to_dict(), "page": str(file)}

    run(work, json_wanted=json_wanted)


def _show(found: PipelineBench, file: Path) -> None:
    from rich.console import Console  # late: only people see it
    from rich.table import Table

    from vesalia.datatools.pipeline_page import rows

    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(("stage", "per item", "per step")):
        table.add_column(head, justify="right" if place else "left", overflow="fold")
    for row in rows(found.costs, found.setting):
        name, *times = row.cells()
        table.add_row(f"{'  ' * row.part}{name}", *times)
    Console(highlight=False).print(table)
    say(f"waiting for data: {found.costs.waiting_share:.1%} of the time")
    say(f"what would help most: {found.advice.text}")
    say(f"picture: {file}")
