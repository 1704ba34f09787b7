"""``vesalia doctor``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from tests.cli.running import call
from vesalia.runtime import doctor
from vesalia.runtime.extras import Requirement


def test_a_sound_machine(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "doctor", "--device", "cpu", "--json")
    assert (answer.code, answer.data["ok"]) == (0, True)
    assert {"level", "subject", "found", "write", "sources"} == answer.data["signs"][0].keys()
    assert [tried["ok"] for tried in answer.data["facts"]["self_test"]] == [True, True]


def test_for_people_each_sign_has_a_line_and_what_to_write(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "required", lambda: [Requirement("nothing-like-it", "9", "dicom")])
    answer = call(capsys, "doctor", "--device", "cpu")
    assert "note    extra dicom" in answer.out
    assert "write: pip install 'vesalia[dicom]'" in answer.out
    assert answer.out.splitlines()[-1].startswith("0 faults, ")


def test_a_fault_is_an_exit_code_and_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "required", lambda: [Requirement("nothing-like-it", "9")])
    answer = call(capsys, "doctor", "--device", "cpu")
    assert answer.code == 2
    assert "FAULT" in answer.out
    assert answer.err == ""
