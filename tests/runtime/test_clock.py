"""When this process began."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import time

from vesalia.runtime import clock


def test_this_process_began_before_now_and_the_same_each_time() -> None:
    assert clock.process_started() == clock.process_started() < time.time()


def test_the_start_of_a_new_process_lies_before_its_imports() -> None:
    code = "import time; first = time.time(); from vesalia.runtime import clock; print(clock.process_started(), first)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    started, first = map(float, answer.stdout.split())
    assert clock.process_started() < started < first
