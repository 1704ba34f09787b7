"""``vesalia data``: data sets before training."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import JsonOption, parse_numbers

__all__ = ["app", "convert", "synthesize"]

app = typer.Typer(help="Make and look at data sets.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Make and look at data sets."""


@app.command("convert")
def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder to look through, with all folders in it.")],
    destination: Annotated[Path, typer.Argument(metavar="DST", help="Folder for the results; the tree is mirrored.")],
    *,
    spacing_mm: Annotated[
        str | None, typer.Option(help="Spacing of results: '1', or '1 1 2' per stored axis; as it is if not given.")
    ] = None,
    suffix: Annotated[str, typer.Option("--from", help="Ending of what is read; .dcm for DICOM series.")] = ".nii.gz",
    to: Annotated[str, typer.Option(help="Ending of results: .nii.gz, .nii, .mha or .nrrd.")] = ".nii.gz",
    labels: Annotated[bool, typer.Option("--labels", help="Label maps: take the nearest value.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Make results anew that are there.")] = False,
    json_wanted: JsonOption = False,
) -> None:
    """Convert images to another format and spacing; a stopped run goes on where it was."""

    def work() -> dict[str, Any]:
        from vesalia.cli.display import Steps  # late: rich
        from vesalia.datatools.convert import Conversion  # late: torch
        from vesalia.datatools.convert import convert as convert_tree
        from vesalia.runtime.interrupts import StopRequest

        spacing = None if spacing_mm is None else parse_numbers(spacing_mm, option="--spacing-mm")
        how = Conversion(suffix=suffix, to=to, spacing_mm=spacing, labels=labels, overwrite=overwrite)
        with StopRequest() as stop, Steps("images", json_wanted=json_wanted) as steps:
            result = convert_tree(source, destination, how=how, progress=steps, stop=stop)
        if not json_wanted:
            before = f"; {len(result.skipped)} were there before" if result.skipped else ""
            say(f"wrote {len(result.written)} images to {destination}{before}")
        return result.to_dict()

    run(work, json_wanted=json_wanted)


@app.command("synthesize")
def synthesize(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; must be new or empty.")],
    *,
    cases: Annotated[int, typer.Option(min=2, help="How many cases.")] = 24,
    size: Annotated[int, typer.Option(min=24, help="Voxels along the first axis.")] = 64,
    task: Annotated[
        str, typer.Option(help="segmentation (CT-like volumes) or classification (chest-X-ray-like pictures).")
    ] = "segmentation",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same data.")] = 0,
    json_wanted: JsonOption = False,
) -> None:
    """Make a small data set with known truth, in Decathlon style."""

    def work() -> dict[str, Any]:
        from vesalia.cli.display import Steps  # late: rich
        from vesalia.datatools.synthetic import synthesize as make  # late: scipy

        with Steps("cases", json_wanted=json_wanted) as steps:
            made = make(folder, cases=cases, size=size, seed=seed, task=task, progress=steps)
        if not json_wanted:
            following = "" if task == "classification" else f"\nnext: vesalia new ARCHIVE --data {made}"
            say(f"wrote {cases} cases{following}")
        return {"dataset": str(made), "cases": cases}

    run(work, json_wanted=json_wanted)
