"""``vesalia check``: is the archive right, and is its data ready?"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import AllowCustomCode, ConfigOption, EnvironmentOption, JsonOption, Mmar, Settings

if TYPE_CHECKING:
    from vesalia.api import CheckReport

__all__ = ["check"]


def check(
    mmar: Mmar,
    *,
    config: ConfigOption = None,
    environment: EnvironmentOption = "config/environment.json",
    settings: Settings = None,
    labels: Annotated[str, typer.Option(help="Label files to read: auto, all or none.")] = "auto",
    json_wanted: JsonOption = False,
    allow_custom_code: AllowCustomCode = False,
) -> None:
    """Check an archive's configs and look at its data; nothing is trained or written."""

    def work() -> dict[str, Any]:
        from vesalia.api import Archive  # late: nibabel and numpy
        from vesalia.cli.display import Steps

        archive = Archive(mmar, allow_custom_code=allow_custom_code)
        with Steps("files looked at", json_wanted=json_wanted) as steps:
            report = archive.check(
                config=config, environment=environment, overrides=settings or [], labels=labels, progress=steps
            )
        if not json_wanted:
            _show(report)
        return report.to_dict()

    run(work, json_wanted=json_wanted)


def _show(report: CheckReport) -> None:
    for warning in report.warnings:
        say(f"warning: {warning}")
    for fault in report.faults:
        say(str(fault), to_stderr=True)
    for counted in report.data:
        say(counted.summary())
    configs = " and ".join(report.configs)
    say(
        f"{configs}: sound" if report.ok else f"{configs}: {len(report.faults)} faults in the data",
        to_stderr=not report.ok,
    )
