"""Judges the coverage that a test run left as JSON: some folders must be covered whole, lines and branches."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["WHOLE", "gaps", "main"]

WHOLE = ("src/vesalia/mmar/", "src/vesalia/registry/", "src/vesalia/transforms/")
"""Folders without which nothing else is right: what a config says, what a name means, what happens to voxels."""


def gaps(report: dict[str, Any]) -> list[str]:
    """What no test reaches in the folders that must be covered whole, a line per file.

    Args:
        report: What ``coverage json`` writes, with branches.
    """
    files = {Path(name).as_posix(): found for name, found in report["files"].items()}
    told = [f"{folder}: no file of it was measured" for folder in WHOLE if not any(n.startswith(folder) for n in files)]
    for name, found in sorted(files.items()):
        lines = [str(line) for line in found["missing_lines"]]
        branches = [f"{start} to {end}" for start, end in found["missing_branches"]]
        if name.startswith(WHOLE) and lines + branches:
            told.append(f"{name}: no test reaches {', '.join(lines + branches)}")
    return told


def main() -> int:
    """Judge the report whose path is the argument; the exit code for the shell."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    told = gaps(report)
    print("\n".join(told) if told else f"coverage: every line and branch of {', '.join(WHOLE)}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
