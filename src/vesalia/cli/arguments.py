"""Arguments that several verbs share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from vesalia.errors import ConfigError

__all__ = [
    "AllowCustomCode",
    "ConfigOption",
    "DeviceOption",
    "EngineDeviceOption",
    "EnvironmentOption",
    "JsonOption",
    "Mmar",
    "Settings",
    "parse_duration",
    "parse_numbers",
    "spread_set",
]

Mmar = Annotated[Path, typer.Argument(metavar="MMAR", help="Folder of the archive.")]
EnvironmentOption = Annotated[
    str, typer.Option("--environment", "-e", help="Environment file, relative to the archive.")
]
ConfigOption = Annotated[str | None, typer.Option("--config", "-c", help="Config file, relative to the archive.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE...", help="Variables that win over environment and config."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Last line of standard output is one JSON object.")]
AllowCustomCode = Annotated[
    bool, typer.Option("--allow-custom-code", help="Let code from the archive's custom/ folder run.")
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
EngineDeviceOption = Annotated[
    str,
    typer.Option("--device", help="auto, cpu, cuda or mps; with --engine onnx auto, cpu, openvino, cuda, tensorrt."),
]

_DURATION = re.compile(r"(?P<number>[0-9]+(\.[0-9]+)?)\s*(?P<unit>s|m|min|h)?")
_SECONDS = {None: 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def spread_set(arguments: Sequence[str]) -> list[str]:
    """Give each value after ``--set`` a ``--set`` of its own: v3's scripts write ``--set a=1 b=2`` (or nothing)."""
    spread: list[str] = []
    taking = False
    for argument in arguments:
        if argument == "--set":
            taking = True
        elif taking and not argument.startswith("-") and "=" in argument:
            spread += ["--set", argument]
        else:
            taking = False
            spread.append(argument)
    return spread


def parse_duration(text: str, *, option: str) -> float:
    """Seconds in ``90``, ``300s``, ``5m``, ``1.5h``.

    Raises:
        ConfigError: It is none of these.
    """
    matched = _DURATION.fullmatch(text.strip().lower())
    if matched is None or float(matched["number"]) <= 0:
        message = f"{option}: found {text!r}, expected a time such as 300s, 5m or 1.5h; write 300s"
        raise ConfigError(message)
    return float(matched["number"]) * _SECONDS[matched["unit"]]


def parse_numbers(text: str, *, option: str) -> tuple[float, ...]:
    """The numbers in ``1 1 2``, ``1,1,2`` or ``96x96x96``.

    Raises:
        ConfigError: There is something else in it.
    """
    try:
        return tuple(float(part) for part in re.split(r"[\s,x]+", text.strip(" []()")))
    except ValueError:
        raise ConfigError(f"{option}: found {text!r}, expected numbers; write for example '1 1 2'") from None
