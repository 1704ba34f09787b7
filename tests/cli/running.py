"""Runs the command line inside this process and gives back what it said."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.threads import wait_for_compilers
from vesalia.cli.main import main

__all__ = ["Answer", "call"]


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The last line of standard output, which ``--json`` promises to be one JSON object; NaN is no JSON."""

        def refuse(word: str) -> None:
            raise AssertionError(f"{word} is no JSON")

        found: dict[str, Any] = json.loads(self.out.splitlines()[-1], parse_constant=refuse)
        return found


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    """Run ``vesalia ARGUMENTS``; no command may show a traceback for what the user did."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    wait_for_compilers()
    said = capsys.readouterr()
    code = left.value.code
    assert isinstance(code, int)
    if code != 1:
        assert "Traceback" not in said.err + said.out
    return Answer(code, said.out, said.err)
