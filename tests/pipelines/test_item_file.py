"""Items as files: what comes back is what was kept, and a torn file is no item."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pipelines.volumes import BOTH, prepared_items
from vesalia.errors import Fault, ResourceError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.pipelines.item_file import Kept, read_item, write_item


@pytest.mark.parametrize("durable", [True, False])
def test_what_comes_back_is_what_was_kept(tmp_path: Path, *, durable: bool) -> None:
    inner = prepared_items(tmp_path, 1)
    kept = replace(inner.make(0), faults=(Fault("a", "b", "c", "d", "e"),))
    write_item(tmp_path / "one.safetensors", kept, durable=durable)
    found = read_item(tmp_path / "one.safetensors", inner.items[0])
    assert found is not None
    assert found.faults == kept.faults
    for name in BOTH:
        one, other = found.sample[name], kept.sample[name]
        assert torch.equal(one.data, other.data)
        assert one.data.dtype == other.data.dtype
        assert np.array_equal(one.placed, other.placed)
        assert one.source is not None
        assert other.source is not None
        assert one.source.paths == other.source.paths
        assert one.source.grid.matches(other.source.grid, tolerance_mm=0.0)
        assert vars_of(one) == vars_of(other)
    assert found.sample.files == kept.sample.files
    assert found.sample.prepared.keys() == kept.sample.prepared.keys()
    assert [file.name for file in tmp_path.glob(".writing*")] == []


def vars_of(volume: Volume) -> tuple[object, ...]:
    source = volume.source
    return volume.channel, volume.batched, source and (source.dtype, source.sform_code, source.qform_code)


def test_what_names_a_field_s_voxels_names_them_again(tmp_path: Path) -> None:
    inner = prepared_items(tmp_path, 1)
    write_item(tmp_path / "one", inner.make(0), durable=False)
    found = read_item(tmp_path / "one", inner.items[0])
    assert found is not None
    assert found.sample.prepared["foreground of label of"] is found.sample["label"].data


def test_files_are_those_of_the_list_that_asks(tmp_path: Path) -> None:
    inner = prepared_items(tmp_path, 1)
    write_item(tmp_path / "one", inner.make(0), durable=False)
    moved = replace(inner.items[0], name="moved", files=dict.fromkeys(BOTH, (Path("/elsewhere.nii"),)))
    found = read_item(tmp_path / "one", moved)
    assert found is not None
    assert found.sample.name == "moved"
    assert found.sample["image"].source is not None
    assert found.sample["image"].source.paths == (Path("/elsewhere.nii"),)


def test_files_of_nobody_s_list_stay_what_they_are(tmp_path: Path) -> None:
    inner = prepared_items(tmp_path, 1)
    sample = inner.make(0).sample
    source = Source((Path("/other.nii"),), Grid((1, 2, 3), np.eye(4)))
    bare = Volume(torch.zeros(1, 2, 3), affine=None, channel="first", source=source)
    write_item(tmp_path / "one", Kept(sample.with_fields(image=bare)), durable=False)
    found = read_item(tmp_path / "one", inner.items[0])
    assert found is not None
    assert found.sample["image"].affine is None
    assert found.sample["image"].source is not None
    assert found.sample["image"].source.paths == source.paths


@pytest.mark.parametrize("left", [0, 4, 100, 3000])
def test_a_torn_file_is_no_item(tmp_path: Path, left: int) -> None:
    inner, file = prepared_items(tmp_path, 1), tmp_path / "one"
    write_item(file, inner.make(0), durable=False)
    file.write_bytes(file.read_bytes()[:left])
    assert read_item(file, inner.items[0]) is None


def test_no_file_is_no_item(tmp_path: Path) -> None:
    assert read_item(tmp_path / "none", prepared_items(tmp_path, 1).items[0]) is None


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kept = prepared_items(tmp_path, 1).make(0)
    monkeypatch.setattr("vesalia.pipelines.item_file.save_file", refuse)
    with pytest.raises(ResourceError, match="no space left"):
        write_item(tmp_path / "one", kept, durable=False)
    assert not list(tmp_path.glob(".writing*"))
    assert not (tmp_path / "one").exists()


def test_fields_of_one_tensor_are_kept_once_and_are_one_again(tmp_path: Path) -> None:
    item = prepared_items(tmp_path, 1).items[0]
    whole = torch.arange(24.0).reshape(1, 2, 3, 4)
    fields = {name: Volume(whole, channel="first") for name in ("image", "again")}
    fields |= {"view": Volume(whole.view(whole.shape), channel="first"), "part": Volume(whole[:, :1], channel="first")}
    write_item(tmp_path / "one", Kept(Sample(fields, name="a", prepared={"rows": whole[:, :, 1:]})), durable=False)
    found = read_item(tmp_path / "one", item)
    assert found is not None
    assert found.sample["again"].data is found.sample["view"].data is found.sample["image"].data
    assert {name: volume.data.tolist() for name, volume in found.sample.fields.items()} == {
        name: volume.data.tolist() for name, volume in fields.items()
    }
    assert torch.equal(found.sample.prepared["rows"], whole[:, :, 1:])
    assert found.file == tmp_path / "one"


def test_what_was_noticed_names_the_list_s_files_of_now(tmp_path: Path) -> None:
    inner = prepared_items(tmp_path, 1)
    label = Fault(str(tmp_path / "label0.nii.gz"), "case0.label", "nothing")
    general = Fault("list.json", "training", "something")
    write_item(tmp_path / "one", replace(inner.make(0), faults=(label, general)), durable=False)
    moved = replace(inner.items[0], name="moved", files=dict.fromkeys(BOTH, (Path("/elsewhere.nii"),)))
    found = read_item(tmp_path / "one", moved)
    assert found is not None
    assert found.faults == (replace(label, file="/elsewhere.nii", key="moved.label"), general)
