"""``python -m vesalia`` is the command line."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import vesalia


def test_it_is_the_vesalia_command() -> None:
    command = [sys.executable, "-m", "vesalia", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout.strip()) == (0, f"vesalia {vesalia.__version__}")
