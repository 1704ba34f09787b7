"""The interface of writers: a path per subject, and the writing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.components.writers.base import Writer
from vesalia.imaging.volume import Sample


def test_a_writer_says_where_and_writes() -> None:
    class Note(Writer):
        def path(self, subject: str, folder: Path) -> Path:
            return folder / subject

        def write(self, sample: Sample, folder: Path) -> Path:
            return self.path(sample.name, folder)

    assert Note().write(Sample(name="case"), Path("out")) == Path("out/case")
    with pytest.raises(TypeError):
        Writer()  # type: ignore[abstract]
