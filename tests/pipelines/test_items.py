"""Where samples begin: files set, judged once, labels compact, the first random transform prepared."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.fakes import Load, as_it_is, items, prepared, sample
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import PreparedItems, begin_sample, compact_label, own_memory
from vesalia.transforms.base import Deterministic


def test_a_sample_begins_with_its_files() -> None:
    item = DataItem("case", {"image": (Path("a.nii"), Path("b.nii"))}, raw={})
    begun = begin_sample(item)
    assert (begun.name, begun.fields) == ("case", {})
    assert begun.files == {"image": (Path("a.nii"), Path("b.nii"))}


@given(st.lists(st.integers(0, 255) | st.floats(width=32), min_size=1, max_size=6))
def test_labels_lose_nothing(values: list[float]) -> None:
    label = torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, -1)
    compact = compact_label(sample(label=label))["label"].data
    fits = all(value in range(256) for value in values)
    assert compact.dtype == (torch.uint8 if fits else torch.float32)
    assert torch.equal(compact.float().nan_to_num(), label.nan_to_num())


def test_what_needs_no_compacting_is_left_alone() -> None:
    for now in (sample(image=torch.zeros(1, 2, 2, 2)), sample(label=torch.zeros(1, 2, 2, 2, dtype=torch.uint8))):
        assert compact_label(now) is now


def test_items_are_loaded_compacted_and_prepared(tmp_path: Path) -> None:
    source = prepared(items(tmp_path, 3), Load())
    got = source.get(2)
    assert got.name == "c2"
    assert got["label"].data.dtype == torch.uint8
    assert torch.equal(got.prepared["noise"], got["label"].data.sum().float())
    assert list(source.window(0)) == list(source.window(9)) == [0, 1, 2]


class Odd(Deterministic):
    """Labels of the number in the file."""

    def transform(self, sample: Sample) -> Sample:
        value = float(sample.files["image"][0].read_text())
        return sample.with_fields(label=Volume(torch.full((1, 2, 2, 2), value), channel="first"))


def test_items_are_judged_once(tmp_path: Path) -> None:
    source = prepared(items(tmp_path, 3), Odd(), num_classes=2)
    source.get(1)
    assert list(source.warnings) == []
    for _ in range(2):
        source.get(0)
        assert [str(fault.key) for fault in source.warnings] == ["c0.label"]
    with pytest.raises(DataError, match=r"c2.label: found the values 2"):
        source.get(2)
    with pytest.raises(DataError, match=r"c2.label: found the values 2"):
        source.get(2)


def test_an_item_without_transforms_has_nothing_to_judge(tmp_path: Path) -> None:
    source = PreparedItems(items(tmp_path, 1), prefix=as_it_is, prepare=lambda now: now, seed=1)
    assert source.get(0).fields == {}


@pytest.mark.parametrize(
    "view",
    [
        torch.arange(64.0).reshape(1, 4, 4, 4)[:, :2, :2, :2],
        torch.arange(64.0).reshape(1, 4, 4, 4)[:, :1],
        torch.arange(64.0).reshape(1, 4, 4, 4).movedim(1, 3),
        torch.arange(64.0).reshape(1, 4, 4, 4),
    ],
)
def test_views_do_not_keep_what_they_view(view: torch.Tensor) -> None:
    now = sample(image=view)
    owned = own_memory(now)["image"].data
    assert torch.equal(owned, view)
    assert owned.is_contiguous()
    assert owned.untyped_storage().nbytes() == view.numel() * 4
    assert own_memory(sample(image=owned))["image"].data is owned


def test_what_is_prepared_belongs_to_the_very_tensors_that_are_given(tmp_path: Path) -> None:
    def load(now: Sample, generator: torch.Generator) -> Sample:
        label = torch.ones(4, 3, 2, 1)
        assert isinstance(generator, torch.Generator)
        return now.with_fields(label=Volume(label.movedim(-1, 0), channel="first"))

    def prepare(now: Sample) -> Sample:
        return replace(now, prepared={"of": now["label"].data})

    got = PreparedItems(items(tmp_path, 1), prefix=load, prepare=prepare, seed=1).get(0)
    assert got.prepared["of"] is got["label"].data


def test_numbers_of_the_list_begin_as_vectors() -> None:
    begun = begin_sample(DataItem("c", {"image": (Path("c.png"),)}, {}, {"label": (0.0, 0.5)}))
    assert torch.equal(begun["label"].data, torch.tensor([0.0, 0.5]))
    assert (begun["label"].spatial_shape, begun["label"].as_batch().shape) == ((), (1, 2))
