"""The interface of writers: a path per subject, and the writing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vesalia.components.writers.base import Writer, original_source, result_folder, subject_file
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume


def test_a_writer_says_where_and_writes() -> None:
    class Note(Writer):
        def path(self, subject: str, folder: Path) -> Path:
            return folder / subject

        def write(self, sample: Sample, folder: Path) -> Path:
            return self.path(sample.name, folder)

    assert Note().write(Sample(name="case"), Path("out")) == Path("out/case")
    with pytest.raises(TypeError):
        Writer()  # type: ignore[abstract]


def test_it_knows_what_is_there_and_what_it_cannot_read(tmp_path: Path) -> None:
    class Note(Writer):
        def path(self, subject: str, folder: Path) -> Path:
            return folder / subject

        def write(self, sample: Sample, folder: Path) -> Path:
            path = self.path(sample.name, folder)
            path.write_text("seen")
            return path

    assert not Note().exists("case", tmp_path)
    Note().write(Sample(name="case"), tmp_path)
    assert Note().exists("case", tmp_path)
    with pytest.raises(DataError, match="case: found a file of Note, which reads nothing back"):
        Note().read("case", tmp_path)


def test_the_original_is_the_images_file_before_the_fields_own() -> None:
    grid = Grid((2,), np.eye(4))
    image, own = (Volume(torch.zeros(2), source=Source((Path(name),), grid)) for name in ("image", "own"))
    bare = Volume(torch.zeros(2))
    assert original_source(Sample({"image": image, "pred": own}), own) is image.source
    assert original_source(Sample({"image": bare, "pred": own}), own) is own.source
    assert original_source(Sample({"image": bare, "label": own}), bare) is own.source
    assert original_source(Sample({"image": bare}), bare) is None


def test_a_subject_has_a_folder_of_its_own() -> None:
    path = subject_file(Path("out"), "a.b c", field="model", suffix=".nii.gz")
    assert path == Path("out/a.b c/a.b c_model.nii.gz")


def test_a_writer_may_have_a_folder_of_its_own() -> None:
    assert result_folder(Path("out"), None) == Path("out")
    assert result_folder(Path("out"), "/own") == Path("/own")


@pytest.mark.parametrize("name", ["", ".", "..", " ..", "../b", "a/b", "/a", "a\\b", "a\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="leads out of its folder"):
        subject_file(Path("out"), name, field="model", suffix=".png")
    with pytest.raises(ConfigError, match="leads out of the subject's folder"):
        subject_file(Path("out"), "a", field=name, suffix=".png")
