"""The interface of writers: a path per subject, and the writing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.components.writers.base import Writer, subject_folder
from vesalia.errors import DataError
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


def test_a_subject_has_a_folder_of_its_own() -> None:
    assert subject_folder(Path("out"), "a.b c") == Path("out/a.b c")


@pytest.mark.parametrize("name", ["", ".", "..", " ..", "../b", "a/b", "/a", "a\\b", "a\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="leads out of its folder"):
        subject_folder(Path("out"), name)
