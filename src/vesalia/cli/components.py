"""``vesalia components``: what a config can name, with arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import JsonOption
from vesalia.errors import ConfigError

__all__ = ["components"]


def components(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show one component with its arguments.")] = None,
    json_wanted: JsonOption = False,
) -> None:
    """List the components a config can name, or show one with its arguments."""

    def work() -> dict[str, Any]:
        return _one(name, json_wanted=json_wanted) if name else _all(json_wanted=json_wanted)

    run(work, json_wanted=json_wanted)


def _all(*, json_wanted: bool) -> dict[str, Any]:
    from vesalia.registry.catalog import CATALOG

    table = {str(slot): sorted(names) for slot, names in CATALOG.items()}
    if not json_wanted:
        for slot, names in table.items():
            say(f"{slot}:\n  " + "\n  ".join(names))
    return {"components": table}


def _one(name: str, *, json_wanted: bool) -> dict[str, Any]:
    from vesalia.registry.catalog import CATALOG, INJECTED
    from vesalia.registry.registry import find, suggest
    from vesalia.registry.signature import read_signature

    slot, target = next(((slot, found) for slot in CATALOG if (found := find(slot, name))), ("", None))
    if target is None:
        near = next(filter(None, (suggest(slot, name) for slot in CATALOG)), None)
        hint = f"; did you mean {near}?" if near else "; run vesalia components for all names"
        message = f"vesalia components: found {name!r}, expected the name of a component{hint}"
        raise ConfigError(message)
    signature = read_signature(target)
    arguments = {
        key: {"type": found.annotation, "required": found.required, "default": signature.defaults.get(key)}
        for key, found in signature.parameters.items()
        if key not in INJECTED.get(slot, ())
    }
    if not json_wanted:
        say(f"{name} ({slot}): {signature.doc.partition(chr(10))[0]}\n")
        for key, value in arguments.items():
            default = "required" if value["required"] else f"default {json.dumps(value['default'])}"
            say(f"  {key}: {value['type']}  ({default})")
    return {"name": name, "slot": slot, "arguments": arguments}
