"""WriteClassificationResult: a file per subject on the way, one table at the end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vesalia.components.writers.write_classification_result import WriteClassificationResult
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume


def sample(name: str, *values: float) -> Sample:
    vector = Volume(torch.tensor(values), channel="first")
    return Sample({"model": vector}, name=name, files={"image": (Path(f"/data/{name}.png"),)})


def test_one_table_for_all(tmp_path: Path) -> None:
    writer = WriteClassificationResult()
    for one in (sample("a", 0.25, 0.5), sample("b", 1.0, 0.0)):
        assert writer.write(one, tmp_path) == writer.path(one.name, tmp_path)
    assert writer.exists("a", tmp_path)
    table = writer.finalize(["b", "a"], tmp_path, class_names=["nodule", "effusion"])
    assert table == tmp_path / "classification_results.csv"
    assert table.read_text() == "subject,image,nodule,effusion\nb,/data/b.png,1.0,0.0\na,/data/a.png,0.25,0.5\n"


def test_numbers_are_read_back(tmp_path: Path) -> None:
    writer = WriteClassificationResult(write_path="tables", file_name="t.csv")
    path = writer.write(sample("a", 0.25, 0.5), tmp_path)
    assert path == tmp_path / "tables" / "a" / "a_model.json"
    assert writer.read("a", tmp_path).data.tolist() == [0.25, 0.5]
    assert writer.finalize(["a"], tmp_path, class_names=["x", "y"]) == tmp_path / "tables" / "t.csv"


def test_labels_of_several_classes_add_up_to_one_each(tmp_path: Path) -> None:
    writer = WriteClassificationResult(label_format=[1, 2])
    writer.write(sample("a", 0.5, 0.25, 0.25), tmp_path)
    assert writer.read("a", tmp_path).data.tolist() == [0.5, 0.5, 0.5]


def test_a_format_that_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="label_format: found"):
        WriteClassificationResult(label_format=[1, 3]).write(sample("a", 0.5), tmp_path)


@pytest.mark.parametrize("name", ["../table.csv", "/table.csv", ""])
def test_a_table_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"file_name: found .*, expected a plain name"):
        WriteClassificationResult(file_name=name)


def test_maps_are_refused(tmp_path: Path) -> None:
    mapped = Sample({"model": Volume(torch.zeros(2, 4, 4), channel="first")}, name="a")
    with pytest.raises(DataError, match=r"a: model: found the shape \[2, 4, 4\], expected a vector"):
        WriteClassificationResult().write(mapped, tmp_path)


def test_a_sample_that_came_from_no_file(tmp_path: Path) -> None:
    writer = WriteClassificationResult()
    writer.write(Sample(sample("a", 0.5).fields, name="a"), tmp_path)
    table = writer.finalize(["a"], tmp_path, class_names=["x"])
    assert table is not None
    assert table.read_text().splitlines()[1] == "a,,0.5"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"image": "", "values": ["x"]}', '{"image": "", "values": 1}'])
def test_damaged_results(tmp_path: Path, text: str) -> None:
    writer = WriteClassificationResult()
    writer.write(sample("a", 0.5), tmp_path).write_text(text)
    with pytest.raises(DataError, match="found no readable result"):
        writer.read("a", tmp_path)


def test_results_of_another_network(tmp_path: Path) -> None:
    writer = WriteClassificationResult()
    writer.write(sample("a", 0.5), tmp_path)
    with pytest.raises(DataError, match="found 1 numbers, expected 2"):
        writer.finalize(["a"], tmp_path, class_names=["x", "y"])
