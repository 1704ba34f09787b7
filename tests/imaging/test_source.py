"""What a file's record is: it needs no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vesalia.imaging import source, volume
from vesalia.imaging.geometry import Grid


def test_volumes_speak_of_the_same_record() -> None:
    assert volume.Source is source.Source


def test_a_record_says_where_the_file_lies() -> None:
    made = source.Source((Path("a.nii"),), Grid((2, 3), np.eye(4)))
    assert (made.sform_code, made.qform_code, made.dtype) == (2, 2, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["source", "header", "nifti_array", "axis_order", "axis_steps", "windows"])
def test_reading_files_needs_no_torch(module: str) -> None:
    code = f"import sys, vesalia.imaging.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
