"""``vesalia new``: an archive of one's own, filled in from a look at the data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import JsonOption

__all__ = ["new"]


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; must be new or empty.")],
    data: Annotated[
        Path,
        typer.Option(
            help="A Decathlon-style dataset.json (or its folder), or an nnU-Net raw dataset; for a classification a "
            "data list with numbers as labels, or a folder of pictures per class."
        ),
    ],
    task: Annotated[str, typer.Option(help="What to learn: segmentation or classification.")] = "segmentation",
    json_wanted: JsonOption = False,
) -> None:
    """Write a ready archive for a data set, with spacing, intensities and sizes taken from the data."""

    def work() -> dict[str, Any]:
        from vesalia.cli.display import Steps  # late: rich
        from vesalia.datatools.new_archive import new_archive  # late: reads images

        with Steps("cases scanned", json_wanted=json_wanted) as steps:
            made = new_archive(folder, task=task, data=data, progress=steps)
        if not json_wanted:
            say(f"wrote {made}\nnext: vesalia check {made}\n      vesalia train {made}")
        return {"archive": str(made)}

    run(work, json_wanted=json_wanted)
