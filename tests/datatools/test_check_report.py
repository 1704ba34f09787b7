"""What a check found, as plain data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.datatools.check_report import CheckReport
from vesalia.errors import Fault

FAULT = Fault("a.json", "labels", "nothing", "names", "some")


def test_faults_are_what_stops_a_training() -> None:
    assert CheckReport(Path("mine"), ("config",), warnings=(FAULT,)).ok
    assert not CheckReport(Path("mine"), ("config",), faults=(FAULT,)).ok


def test_as_plain_data() -> None:
    found = CheckReport(Path("mine"), ("config",), faults=(FAULT,), warnings=(FAULT,)).to_dict()
    expected = [FAULT.to_dict()]
    assert found == {
        "archive": "mine",
        "configs": ["config"],
        "ok": False,
        "faults": expected,
        "warnings": expected,
        "data": [],
    }
