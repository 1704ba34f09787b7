"""Start-up times: ``vesalia --help``, ``import vesalia`` and ``vesalia check``, median of several processes.

The last line is one JSON object; ``ratio`` is the largest part of its limit that any of the three takes (below 1 is within).

    python benchmarks/start_up.py [MMAR] [--set KEY=VALUE ...]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from vesalia.runtime import machine
from vesalia.runtime.files import write_json

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 7
LIMITS_S = {"help": 0.5, "import": 0.3, "check": 3.0}


def seconds(command: list[str]) -> float:
    """Median wall-clock seconds of ``command``, the first (cold) run left out."""
    times = []
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def main() -> None:
    """Measure, print, write."""
    arguments = sys.argv[1:] or [str(ROOT / "examples" / "hippocampus")]
    script = str(Path(sys.executable).with_name("vesalia"))
    measured = {
        "help": seconds([script, "--help"]),
        "import": seconds([sys.executable, "-c", "import vesalia"]),
        "check": seconds([script, "check", *arguments]),
    }
    ratio = max(measured[name] / limit for name, limit in LIMITS_S.items())
    result = {"ratio": ratio, "seconds": measured, "limits_s": LIMITS_S}
    facts = {"machine": machine.describe(), "versions": machine.versions(), "date": time.strftime("%Y-%m-%d")}
    write_json(ROOT / "benchmarks" / "results" / "start_up.json", {**result, **facts})
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
