"""``vesalia import-weights``: what other software trained, as a model of an archive."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import AllowCustomCode, ConfigOption, EnvironmentOption, JsonOption, Mmar, Settings
from vesalia.runtime.jsonfile import as_json

if TYPE_CHECKING:
    from vesalia.inference.importing import ImportResult

__all__ = ["import_weights"]


def import_weights(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A .pt file, a MONAI bundle, or a folder or checkpoint of nnU-Net.")
    ],
    mmar: Mmar,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="What to call the model, such as models/imported.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Tensors of the network may be missing; they stay random.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a model of that name.")] = False,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Write weights of other software as a model of an archive; no code in them is run."""

    def work() -> dict[str, Any]:
        from vesalia.api import TRAIN_CONFIG, Archive  # late: numpy

        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        result = archive.import_weights(
            source,
            output=out,
            config=config or TRAIN_CONFIG,
            environment=environment,
            overrides=settings or [],
            partial=partial,
            overwrite=overwrite,
        )
        if not json_wanted:
            say(_told(result))
        return result.to_dict()

    run(work, json_wanted=json_wanted)


def _told(result: ImportResult) -> str:
    lines = [f"{result.kind}: {result.match.table()}", *(f"note: {note}" for note in result.notes)]
    facts = {name: value for name, value in result.preprocessing.items() if value}
    if facts:
        lines.append(f"trained on images with {json.dumps(as_json(facts))}")
    lines.append(f"classes: {', '.join(result.class_names)}")
    lines.append(f'for a train config: "model": {json.dumps(as_json(result.network))}')
    return "\n".join([*lines, f"model: {result.weights}"])
