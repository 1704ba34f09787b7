"""``python -m nvmidl.apps.train -m ROOT -c FILE -e FILE --set ...``: the same as ``vesalia train``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from nvmidl.apps.arguments import parser, translate
from vesalia.cli.main import main as vesalia

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Train an archive as its own scripts ask for it."""
    arguments = parser("nvmidl.apps.train")
    arguments.add_argument("--write_train_stats", action="store_true", help="accepted; history.jsonl is always written")
    vesalia(translate("train", arguments.parse_args(argv)))


if __name__ == "__main__":
    main()
