"""Readers' messages as faults."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.datatools.file_faults import faults_of
from vesalia.errors import DataError, Fault

PATH = Path("/data/a.nii.gz")


def test_a_message_is_taken_apart() -> None:
    error = DataError(f"{PATH}: found 3 bytes, expected 9 bytes; write it again")
    assert faults_of(error, PATH) == (Fault(str(PATH), "", "3 bytes", "9 bytes", "it again"),)


def test_a_message_of_another_form_is_kept_whole() -> None:
    (fault,) = faults_of(DataError("all went wrong"), PATH)
    assert (fault.file, fault.found, fault.expected) == (str(PATH), "all went wrong", "")


def test_faults_pass_through() -> None:
    faults = (Fault("a"), Fault("b"))
    assert faults_of(DataError(faults=faults), PATH) == faults
