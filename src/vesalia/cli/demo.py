"""``vesalia demo``: the main job from nothing to a report, on data made on the spot."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import JsonOption, parse_duration
from vesalia.errors import ConfigError

if TYPE_CHECKING:
    from vesalia.inference.results import EvaluateResult

__all__ = ["demo"]


def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to make; must be new or empty.")] = Path(
        "vesalia-demo"
    ),
    *,
    cases: Annotated[int, typer.Option(min=8, help="Synthetic cases to make.")] = 32,
    size: Annotated[int, typer.Option(min=32, help="Voxels along the first axis.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data and training.")] = 0,
    budget: Annotated[str, typer.Option(help="Time for the training.")] = "210s",
    json_wanted: JsonOption = False,
) -> None:
    """Make a small synthetic CT data set, train an archive on it, judge it and write the report."""

    def work() -> dict[str, Any]:
        budget_s = parse_duration(budget, option="--budget")
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            what = "a folder that is not empty" if folder.is_dir() else "a file"
            message = f"{folder}: found {what}, expected a new folder; write vesalia demo OTHER_DIR"
            raise ConfigError(message)
        return _demo(folder, cases=cases, size=size, seed=seed, budget_s=budget_s, json_wanted=json_wanted)

    run(work, json_wanted=json_wanted)


def _demo(folder: Path, *, cases: int, size: int, seed: int, budget_s: float, json_wanted: bool) -> dict[str, Any]:
    from vesalia.api import Archive  # late: nibabel and numpy
    from vesalia.cli.display import Steps, display_for
    from vesalia.datatools.new_archive import new_archive
    from vesalia.datatools.synthetic import synthesize
    from vesalia.runtime.interrupts import StopRequest

    def tell(text: str) -> None:
        say(text, to_stderr=json_wanted)

    tell(f"1 of 4  making {cases} synthetic CT cases with known organs in {folder / 'data'}")
    with Steps("cases", json_wanted=json_wanted) as steps:
        dataset = synthesize(folder / "data", cases=cases, size=size, seed=seed, progress=steps)
    tell(f"2 of 4  writing the archive {folder / 'archive'} from a look at the data")
    with Steps("cases scanned", json_wanted=json_wanted) as steps:
        archive = Archive(new_archive(folder / "archive", data=dataset, progress=steps))
    with StopRequest() as stop:
        tell(f"3 of 4  training for {budget_s:.0f} s (Ctrl-C saves; vesalia train {archive.root} --resume goes on)")
        display = display_for(json_wanted=json_wanted)
        trained = archive.train(budget_s=budget_s, seed=seed, listener=display, stop=stop)
        tell("4 of 4  judging the model on the held-out cases")
        with Steps("subjects", json_wanted=json_wanted) as steps:
            judged = archive.evaluate(write_predictions=True, progress=steps, stop=stop)
    if not json_wanted:
        say(_farewell(archive.root, judged))
    return {"archive": str(archive.root), "train": trained.to_dict(), "evaluate": judged.to_dict()}


def _farewell(archive: Path, judged: EvaluateResult) -> str:
    dice = judged.metrics["mean_dice"].overall.mean
    return (
        f"\nmean Dice on the held-out cases: {dice:.4f}\n"
        f"report: {judged.files['report']}   (open it in a browser)\n\n"
        f"what next:\n"
        f"  look at the archive         ls {archive} {archive / 'config'}\n"
        f"  train it longer             vesalia train {archive}\n"
        f"  predict an image            vesalia infer {archive} IMAGE.nii.gz\n"
        f"  an archive for your data    vesalia new MY_ARCHIVE --data DATASET.json"
    )
