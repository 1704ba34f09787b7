"""The names of v3 for custom code: NumPy alone, and no claim to be anything else."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import ai4med


def test_it_says_that_it_is_independent() -> None:
    assert "independent" in (ai4med.__doc__ or "")


def test_it_loads_neither_torch_nor_tensorflow() -> None:
    code = "import ai4med.components.metric, ai4med.components.transforms.multi_field_transformer, sys\n"
    code += "print(sorted({'torch', 'tensorflow', 'vesalia'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
