"""``python -m nvmidl.apps.evaluate -m ROOT -c FILE -e FILE --set do_validation=... output_infer_result=...``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from nvmidl.apps.arguments import parser, translate
from vesalia.cli.evaluate import judges
from vesalia.cli.main import main as vesalia

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Judge or predict, as ``do_validation`` says: in ``--set``, else the environment, else the config."""
    given = parser("nvmidl.apps.evaluate").parse_args(argv)
    judging = judges(
        Path(given.mmar),
        config=given.config,
        environment=given.environment,
        settings=given.set,
        allow_custom_code=given.allow_custom_code,
        json_wanted=given.json,
    )
    vesalia(translate("evaluate" if judging else "infer", given))


if __name__ == "__main__":
    main()
