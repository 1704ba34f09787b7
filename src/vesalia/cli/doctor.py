"""``vesalia doctor``: what this machine has, what is missing, and what is known to be slow or wrong."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vesalia.cli.answer import run, say
from vesalia.cli.arguments import DeviceOption, JsonOption

if TYPE_CHECKING:
    from vesalia.runtime.doctor import Examination

__all__ = ["doctor"]

_MARKS = {"ok": "ok     ", "note": "note   ", "warning": "WARNING", "fault": "FAULT  "}


def doctor(*, device: DeviceOption = "auto", json_wanted: JsonOption = False) -> None:
    """Look at this machine: versions, devices, memory, optional parts, and a quick test of convolutions."""

    def work() -> dict[str, Any]:
        from vesalia.runtime.doctor import examine  # late: psutil

        found = examine(device)
        if not json_wanted:
            say(_told(found))
        return found.to_dict()

    run(work, json_wanted=json_wanted)


def _told(found: Examination) -> str:
    wide = max(len(sign.subject) for sign in found.signs)
    lines = []
    for sign in found.signs:
        lines.append(f"{_MARKS[sign.level]} {sign.subject.ljust(wide)}  {sign.found}")
        if sign.write:
            lines.append(f"{' ' * (wide + 10)}write: {sign.write}")
        lines += [f"{' ' * (wide + 10)}see:   {source}" for source in sign.sources]
    levels = [sign.level for sign in found.signs]
    counts = f"{levels.count('fault')} faults, {levels.count('warning')} warnings, {levels.count('note')} notes"
    return "\n".join([*lines, counts])
