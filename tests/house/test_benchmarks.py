"""Every benchmark runs (small, and not timed) and ends with one JSON line that has a ratio."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
NO_SCRIPTS = {"resident", "side_by_side", "stand_ins"}
NOT_QUICK = {
    "hippocampus_budget": "needs MSD Task04, and is about a set time",
    "window_overlap": "needs MSD Task04",
}
SCRIPTS = sorted({path.stem for path in FOLDER.glob("*.py")} - NO_SCRIPTS)
TIMEOUT_S = 300


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in NOT_QUICK])
def test_it_runs_and_ends_with_a_ratio(name: str) -> None:
    results = FOLDER / "results" / f"{name}.json"
    before = results.read_bytes() if results.exists() else None
    script = [sys.executable, str(FOLDER / f"{name}.py"), "--quick"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        script, capture_output=True, text=True, check=False, env=environment, timeout=TIMEOUT_S, cwd=FOLDER.parent
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert "ratio" in result
    figures = [
        name for name, value in result.items() if isinstance(value, float | int) and name not in {"ratio", "goal"}
    ]
    assert len(figures) >= 2 or result["ratio"] is None, "both raw figures stand beside the ratio"
    assert (results.read_bytes() if results.exists() else None) == before


def test_every_one_is_listed() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if f"`{name}.py" not in listed] == []
