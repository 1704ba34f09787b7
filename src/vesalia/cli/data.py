"""``vesalia data``: data sets before training."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import JsonOption

__all__ = ["app", "synthesize"]

app = typer.Typer(help="Make and look at data sets.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Make and look at data sets."""


@app.command("synthesize")
def synthesize(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; must be new or empty.")],
    cases: Annotated[int, typer.Option(min=2, help="How many cases.")] = 24,
    size: Annotated[int, typer.Option(min=24, help="Voxels along the first axis.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same data.")] = 0,
    json_wanted: JsonOption = False,
) -> None:
    """Make a small CT-like data set with known organs, in Decathlon style."""

    def work() -> dict[str, Any]:
        from vesalia.cli.display import Steps  # late: rich
        from vesalia.datatools.synthetic import synthesize as make  # late: scipy

        with Steps("cases", json_wanted=json_wanted) as steps:
            made = make(folder, cases=cases, size=size, seed=seed, progress=steps)
        if not json_wanted:
            say(f"wrote {cases} cases\nnext: vesalia new ARCHIVE --data {made}")
        return {"dataset": str(made), "cases": cases}

    run(work, json_wanted=json_wanted)
