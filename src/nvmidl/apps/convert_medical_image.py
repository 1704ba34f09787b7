"""``nvmidl-dataconvert -d SRC -r 1 -s .nii.gz -e .nii.gz -o DST -l``: the same as ``vesalia data convert``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from vesalia.cli.main import main as vesalia

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Convert images as v3's command was asked to."""
    given = _parser().parse_args(argv)
    arguments = ["data", "convert", given.source, given.output, "--from", given.suffix, "--to", given.ending]
    arguments += ["--spacing-mm", " ".join(given.resolution)] if given.resolution else []
    switches = {"--labels": given.labels, "--overwrite": given.overwrite, "--json": given.json}
    vesalia(arguments + [name for name, wanted in switches.items() if wanted])


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="nvmidl-dataconvert", allow_abbrev=False)
    made.add_argument("-d", dest="source", required=True, metavar="SRC", help="folder to look through")
    made.add_argument("-o", dest="output", required=True, metavar="DST", help="folder for the results")
    made.add_argument("-r", dest="resolution", nargs="+", metavar="MM", help="spacing, one number or one per axis")
    made.add_argument("-s", dest="suffix", default=".nii.gz", help="ending of what is read; .dcm for DICOM series")
    made.add_argument("-e", dest="ending", default=".nii.gz", help="ending of the results")
    made.add_argument("-l", dest="labels", action="store_true", help="label maps: take the nearest value")
    made.add_argument("-f", "--overwrite", dest="overwrite", action="store_true", help="make results anew")
    made.add_argument("--json", action="store_true", help="last line of standard output is one JSON object")
    return made


if __name__ == "__main__":
    main()
