"""The command line that the scripts of old archives use, and its translation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse

__all__ = ["parser", "translate"]


def parser(program: str) -> argparse.ArgumentParser:
    """The arguments that ``nvmidl.apps.train`` and ``nvmidl.apps.evaluate`` share."""
    made = argparse.ArgumentParser(prog=f"python -m {program}")
    made.add_argument("-m", "--mmar", required=True, metavar="ROOT", help="folder of the archive")
    made.add_argument("-c", "--config", required=True, help="workflow config, relative to the archive")
    made.add_argument("-e", "--environment", default="config/environment.json", help="relative to the archive")
    made.add_argument(
        "--set", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="variables; may be empty"
    )
    made.add_argument("--allow-custom-code", action="store_true", help="let code from the custom folder run")
    made.add_argument("--json", action="store_true", help="last line of standard output is one JSON object")
    return made


def translate(verb: str, given: argparse.Namespace) -> list[str]:
    """The ``vesalia`` arguments that mean the same."""
    arguments = [verb, given.mmar, "-c", given.config, "-e", given.environment]
    for value in given.set:
        arguments += ["--set", value]
    arguments += ["--allow-custom-code"] if given.allow_custom_code else []
    return arguments + (["--json"] if given.json else [])
