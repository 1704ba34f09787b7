"""The ``vesalia`` command: the verbs, and what is common to all of them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from vesalia import __version__
from vesalia.cli import (
    bench,
    check,
    components,
    data,
    demo,
    doctor,
    evaluate,
    export,
    import_weights,
    infer,
    new,
    train,
)
from vesalia.cli.answer import answer_usage_error
from vesalia.cli.arguments import spread_set

__all__ = ["app", "main"]

app = typer.Typer(
    name="vesalia",
    help="Medical-image AI from one archive: check, train, evaluate, infer. An independent project.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(check.check)
app.command("new")(new.new)
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("infer")(infer.infer)
app.command("export")(export.export)
app.command("import-weights")(import_weights.import_weights)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("components")(components.components)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vesalia {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line.

    Args:
        argv: Arguments without the program's name; the process's own if None.

    Raises:
        SystemExit: In any case, the way a command leaves.
    """
    arguments = spread_set(sys.argv[1:] if argv is None else argv)
    command = typer.main.get_command(app)
    try:
        code = command.main(args=arguments, prog_name="vesalia", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - the edge: wrong arguments, or a defect of ours
        code = answer_usage_error(error, json_wanted="--json" in arguments)
    sys.exit(code if isinstance(code, int) else 0)
