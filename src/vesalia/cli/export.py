"""``vesalia export``: a trained model for other software."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import (
    AllowCustomCode,
    ConfigOption,
    EnvironmentOption,
    JsonOption,
    Mmar,
    Settings,
    parse_numbers,
)
from vesalia.cli.launched import leave_to_rank_zero
from vesalia.errors import ConfigError

if TYPE_CHECKING:
    from vesalia.deploy.export import ExportResult

__all__ = ["export", "export_as_v3"]


def export(
    mmar: Mmar,
    *,
    to: Annotated[
        list[str] | None,
        typer.Option(
            help="Formats: torchscript, triton, onnx, onnx-network, bundle, frozen (v3's file names), frozen-triton; "
            "several with commas."
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A checkpoint, such as models/model_final; the best model if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write to; that of the weights if not given.")
    ] = None,
    input_shape: Annotated[
        str | None, typer.Option(help="Channels and sizes to trace the network with, such as '1 96 96 96'.")
    ] = None,
    serving_name: Annotated[str | None, typer.Option(help="What a server calls the model.")] = None,
    max_batch_size: Annotated[int, typer.Option(min=1, help="Images that a server may put into one call.")] = 8,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Write a trained model for other software, compared with the network it was made from."""

    def work() -> dict[str, Any]:
        from vesalia.api import EVALUATE_CONFIG, Archive  # late: numpy

        if (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        result = archive.export(
            to or ["torchscript"],
            weights=weights,
            output=out,
            config=config or EVALUATE_CONFIG,
            environment=environment,
            overrides=settings or [],
            input_shape=_sizes(input_shape, option="--input-shape"),
            serving_name=serving_name,
            max_batch_size=max_batch_size,
        )
        return _answer(result, json_wanted=json_wanted)

    run(work, json_wanted=json_wanted)


def export_as_v3(
    weights: Path,
    *,
    archive: Path | None,
    nodes: tuple[str, str],
    triton_name: str | None,
    triton_shape: str | None,
    json_wanted: bool,
    allow_custom_code: bool,
) -> NoReturn:
    """Write v3's files beside the weights, as ``nvmidl.apps.export`` did, and leave.

    Args:
        weights: Folder and name of the checkpoint.
        archive: The archive, if there is one: it may hold the code of the network.
        nodes: What input and output are called.
        triton_name: The model's name in a Triton server; None writes nothing for one.
        triton_shape: Channels and sizes of an image there.
        json_wanted: Whether the last line of standard output must be the answer.
        allow_custom_code: Whether code of the archive may run.

    Raises:
        SystemExit: In any case.
    """

    def work() -> dict[str, Any]:
        from vesalia.deploy.export import Wish, export  # late: torch
        from vesalia.mmar.archive import open_archive

        if (elsewhere := leave_to_rank_zero()) is not None:
            return elsewhere
        wish = Wish(
            formats=["frozen"] if triton_name is None else ["frozen-triton", "triton"],
            input_name=nodes[0],
            output_name=nodes[1],
            input_shape=_sizes(triton_shape, option="--trtis_input_shape"),
            serving_name=triton_name,
        )
        folder = None if archive is None else open_archive(archive)
        result = export(weights, wish, archive=folder, allow_custom_code=allow_custom_code)
        return _answer(result, json_wanted=json_wanted)

    try:
        run(work, json_wanted=json_wanted)
    except typer.Exit as left:
        sys.exit(left.exit_code)
    sys.exit(0)


def _answer(result: ExportResult, *, json_wanted: bool) -> dict[str, Any]:
    if not json_wanted:
        say("\n".join(map(str, result.files)))
        if (apart := result.record["max_difference"]) is not None:
            say(f"up to {apart:.1e} from the network's own output")
    return result.to_dict()


def _sizes(text: str | None, *, option: str) -> tuple[int, ...] | None:
    """Whole numbers in a text.

    Raises:
        ConfigError: There is something else in it.
    """
    if text is None:
        return None
    numbers = parse_numbers(text, option=option)
    if not all(number.is_integer() for number in numbers):
        raise ConfigError(f"{option}: found {text!r}, expected whole numbers; write '1 96 96 96'")
    return tuple(map(int, numbers))
