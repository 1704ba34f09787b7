"""``python -m nvmidl.apps.evaluate -m ROOT -c FILE -e FILE --set do_validation=... output_infer_result=...``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from nvmidl.apps.arguments import parser, translate
from vesalia.cli.main import main as vesalia

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Judge or predict, as ``do_validation`` and ``output_infer_result`` say."""
    given = parser("nvmidl.apps.evaluate").parse_args(argv)
    settings = dict(value.partition("=")[::2] for value in given.set)
    judging = settings.get("do_validation", "true").lower() != "false"
    vesalia(translate("evaluate" if judging else "infer", given))


if __name__ == "__main__":
    main()
