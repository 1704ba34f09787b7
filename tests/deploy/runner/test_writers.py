"""Writers of the runner write the same bytes as those of the name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.deploy.runner.twins import as_arrays
from vesalia.components.writers import write_nifti
from vesalia.deploy.runner.writers import WRITERS, WriteNifti
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.registry.registry import find, load


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_takes_what_its_component_takes(name: str) -> None:
    target = find("writer", name)
    assert target is not None
    wanted, found = (inspect.signature(made).parameters for made in (load(target), WRITERS[name]))
    assert {key: one.default for key, one in wanted.items()} == {key: one.default for key, one in found.items()}


@pytest.mark.parametrize("sourced", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16"])
def test_the_same_bytes(tmp_path: Path, dtype: Any, *, sourced: bool) -> None:
    data = torch.randint(0, 9, (2, 4, 5, 6), generator=torch.Generator().manual_seed(0)).float()
    grid = Grid((7, 5, 3), np.diag([1.0, 2.0, 3.0, 1.0]))
    source = Source((Path("a.nii"),), grid, 1, 1) if sourced else None
    sample = Sample({"model": Volume(data, np.diag([2.0, 2.0, 1.5, 1.0]), "first", source=source)}, "case")
    one = write_nifti.WriteNifti("model", dtype=dtype, write_path="one").write(sample, tmp_path)
    two = WriteNifti("model", dtype=dtype, write_path="two").write(as_arrays(sample), tmp_path)
    assert two == tmp_path / "two" / "case" / "case_model.nii.gz"
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(("subject", "field"), [("..", "model"), ("case", "a/b")])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, subject: str, field: str) -> None:
    with pytest.raises(DataError, match="found a name that leads out of its folder"):
        WriteNifti(field).path(subject, tmp_path)
