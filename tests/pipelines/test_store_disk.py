"""Items that outlive a run: found again, never out of date, remade where torn, no more than the disk has room for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from tests.pipelines.volumes import BOTH, SHAPE, augmenting, bound, loading, prepared_items, write_volumes
from vesalia.errors import DataError
from vesalia.pipelines import store_disk as module
from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.described_code import Undescribed
from vesalia.pipelines.item_file import Kept, read_item
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.store import MemoryStore, sample_bytes
from vesalia.pipelines.store_disk import DiskStore, default_folder, describe
from vesalia.pipelines.store_shared import SharedStore
from vesalia.testing.pipelines import ItemSourceSuite
from vesalia.transforms.base import Transform
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.load.load_nifti import LoadNifti


class TestSuite(ItemSourceSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def source(self, inner: PreparedItems) -> SmartCache:
        for item in inner.items:
            for paths in item.files.values():
                (self.folder / paths[0]).write_text(item.name)
        os.chdir(self.folder)
        store = DiskStore(self.folder / "kept", inner.items, made_by=["numbers"])
        return SmartCache(inner, num_cache_objects=3, replace_percent=0.5, num_workers=2, behind=store)


def started(listed: Path, transforms: list[Transform[Any]] | None = None, **args: Any) -> tuple[BoundPipeline, int]:
    """A filled pipeline, and how many items it had to make."""
    pipe = bound(listed, transforms, run=RunSettings(persist=listed.parent / "kept"), **args)
    before = len(kept(listed))
    pipe.fill()
    return pipe, len(kept(listed)) - before


def kept(listed: Path) -> list[Path]:
    return list((listed.parent / "kept").glob("*.vesalia-item"))


def images(pipe: BoundPipeline) -> list[torch.Tensor]:
    return [batch.fields["image"].clone() for batch in pipe.epoch(0)]


def test_a_second_run_makes_nothing_and_gives_the_same(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 3)
    first, made = started(listed)
    expected = images(first)
    first.close()
    second, again = started(listed)
    assert (made, again) == (3, 0)
    assert all(torch.equal(one, other) for one, other in zip(images(second), expected, strict=True))
    plan = second.plan()
    assert plan is not None
    assert plan.place == f"{tmp_path / 'kept'}, mapped"
    assert plan.held == 3
    second.close()
    assert {file.suffix for file in (tmp_path / "kept").iterdir()} == {".vesalia-item"}


def test_the_same_as_without(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 3)
    for _ in range(2):
        disk, _ = started(listed)
        assert all(torch.equal(a, b) for a, b in zip(images(disk), images(bound(listed)), strict=True))


def test_warnings_are_kept(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 2)
    (tmp_path / "label1.nii.gz").write_bytes(_empty(tmp_path))
    first, _ = started(listed)
    second, made = started(listed)
    assert made == 0
    assert first.warnings == second.warnings
    assert "no voxel above 0" in str(second.warnings[0])


def _empty(folder: Path) -> bytes:
    nib.save(nib.Nifti1Image(np.zeros(SHAPE, np.uint8), np.diag([0.8, 0.8, 2.0, 1.0])), folder / "zeros.nii.gz")
    return (folder / "zeros.nii.gz").read_bytes()


def test_moved_data_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    listed = write_volumes(tmp_path / "a", 2)
    started(listed)[0].close()
    (tmp_path / "a").rename(tmp_path / "b")
    pipe, made = started(tmp_path / "b" / "list.json")
    assert made == 0
    (sample,) = list(pipe.samples())[:1]
    assert sample["image"].source is not None
    assert sample["image"].source.paths == (tmp_path / "b" / "image0.nii.gz",)


def other_window() -> list[Transform[Any]]:
    return [*loading()[:2], ScaleIntensityRange("image", a_min=-100, a_max=300), *augmenting()]


def resampled() -> list[Transform[Any]]:
    return [LoadNifti(BOTH, as_closest_canonical=True), *loading()[1:], *augmenting()]


def other_label() -> list[Transform[Any]]:
    return [*loading(), CropByPosNegRatio([8, 8, 6], "label", label_field="label", batch_size=2)]


@pytest.mark.parametrize("change", [other_window, resampled, other_label])
def test_other_steps_are_other_items(tmp_path: Path, change: Any) -> None:
    listed = write_volumes(tmp_path, 1)
    started(listed)[0].close()
    assert started(listed, change())[1] == 1


def test_other_contents_are_other_items_whatever_the_date_says(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 2)
    started(listed)[0].close()
    file = tmp_path / "image0.nii.gz"
    before = file.stat()
    file.write_bytes((tmp_path / "image1.nii.gz").read_bytes())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert started(listed)[1] == 1


def test_other_versions_are_other_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = write_volumes(tmp_path, 1)
    started(listed)[0].close()
    monkeypatch.setattr("vesalia.pipelines.store_disk.machine.versions", lambda: {"torch": "0"})
    assert started(listed)[1] == 1


@pytest.mark.parametrize("left", [0, 9, 700])
def test_torn_files_are_made_again(tmp_path: Path, left: int) -> None:
    listed = write_volumes(tmp_path, 2)
    started(listed)[0].close()
    torn = kept(listed)[0]
    whole = torn.read_bytes()
    torn.write_bytes(whole[:left])
    pipe, _ = started(listed)
    assert torn.read_bytes() == whole
    pipe.close()


@pytest.mark.parametrize("before", [None, b"torn"])
def test_what_another_process_puts_while_it_is_looked_for_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    inner = prepared_items(tmp_path, 1)
    one, other = (DiskStore(tmp_path / "kept", inner.items, made_by=[]) for _ in range(2))
    file = one.folder / f"{one.name(0)}.vesalia-item"
    if before is not None:
        file.write_bytes(before)
    read = read_item

    def late(path: Path, item: DataItem) -> Kept | None:
        found = read(path, item)
        monkeypatch.setattr(module, "read_item", read)
        assert other.put(0, inner.make(0))
        return found

    monkeypatch.setattr(module, "read_item", late)
    assert one.find(0) is None
    assert one.find(0) is not None


def test_files_of_an_item_that_are_gone_are_told(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 2)
    pipe = bound(listed, run=RunSettings(persist=tmp_path / "kept"))
    (tmp_path / "image1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"image1\.nii\.gz: found that it cannot be read"):
        pipe.fill()


def test_what_was_used_longest_ago_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = prepared_items(tmp_path, 3)
    store = DiskStore(tmp_path / "kept", inner.items, made_by=[])
    for index in range(2):
        assert store.put(index, inner.make(index))
    old, young = (store.folder / f"{store.name(index)}.vesalia-item" for index in range(2))
    foreign = store.folder / "model.safetensors"
    foreign.write_bytes(b"weights")
    for file in (old, foreign):
        os.utime(file, (time.time() - 90_000,) * 2)
    monkeypatch.setattr(DiskStore, "_fits", lambda self, _: not old.exists() and self is store)
    assert store.put(2, inner.make(2))
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEEP_FREE", 1.1)
    monkeypatch.setattr(module, "_FREE_AT_MOST", float("inf"))


@pytest.mark.usefixtures("full_disk")
def test_what_a_full_disk_does_not_take_stays_in_memory_and_is_told(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 2)
    pipe, made = started(listed)
    plan = pipe.plan()
    assert plan is not None
    assert (made, plan.held, plan.read_from) == (0, 2, "")
    assert "free, so 2 items were not written" in str(pipe.warnings[0])
    assert len(images(pipe)) == 1


@pytest.mark.parametrize(("least", "takes"), [(0.0, True), (float("inf"), False)])
def test_of_a_large_disk_less_than_a_tenth_has_to_be_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: float, *, takes: bool
) -> None:
    inner = prepared_items(tmp_path, 1)
    monkeypatch.setattr(module, "_KEEP_FREE", 1.1)
    monkeypatch.setattr(module, "_FREE_AT_MOST", least)
    assert DiskStore(tmp_path / "kept", inner.items, made_by=[]).put(0, inner.make(0)) is takes


@pytest.mark.parametrize("again", [False, True], ids=["made", "found"])
@pytest.mark.parametrize("session", ["", "disk-budget"])
@pytest.mark.parametrize("persist", [False, True])
def test_a_budget_is_kept_wherever_items_are(tmp_path: Path, session: str, *, persist: bool, again: bool) -> None:
    listed = write_volumes(tmp_path, 5)
    folder = tmp_path / "kept" if persist else None
    if again:
        started(listed)[0].close()
    form = bound(listed, run=RunSettings(session=session, persist=folder))
    form.fill()
    whole = form.plan()
    form.close()
    assert whole is not None
    run = RunSettings(session=session, persist=folder, budget_gb=2.5 * whole.item_bytes / 1e9)
    pipe = bound(listed, run=run)
    pipe.fill()
    plan = pipe.plan()
    assert plan is not None
    assert plan.held == 2
    assert plan.held_bytes <= 2.5 * whole.item_bytes
    pipe.close()


def test_what_a_budget_leaves_out_is_read_from_disk_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = write_volumes(tmp_path, 4)
    pipe = bound(listed, run=RunSettings(persist=tmp_path / "kept", budget_gb=1e-9))
    pipe.fill()
    assert len(kept(listed)) == 4
    plan = pipe.plan()
    assert plan is not None
    assert plan.read_from == str(tmp_path / "kept")
    expected = images(bound(listed))
    monkeypatch.setattr(PreparedItems, "make", None)
    assert all(torch.equal(one, other) for one, other in zip(images(pipe), expected, strict=True))


def test_what_comes_is_on_disk_before_the_epoch_ends_though_memory_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = prepared_items(tmp_path, 6)
    disk = DiskStore(tmp_path / "kept", inner.items, made_by=[])
    memory = MemoryStore(limit=3 * sample_bytes(inner.get(0)) + 9000)
    cache = SmartCache(inner, num_cache_objects=3, replace_percent=1.0, num_workers=2, store=memory, behind=disk)
    cache.move_to(0)
    assert cache.warnings == ()
    cache.begin(0)
    assert len(list(vars(cache)["_coming"])) == 3
    monkeypatch.setattr(PreparedItems, "make", None)
    cache.move_to(1)
    assert cache.held == {3, 4, 5}
    cache.close()


def test_processes_map_one_copy_that_is_on_disk(tmp_path: Path) -> None:
    inner = prepared_items(tmp_path, 2)
    shared = SharedStore("disk-links", inner.items, limit=10**9)
    disk = DiskStore(tmp_path / "kept", inner.items, made_by=[])
    cache = SmartCache(inner, num_cache_objects=2, replace_percent=0, num_workers=0, store=shared, behind=disk)
    cache.move_to(0)
    links = [path.resolve() for path in shared.folder.glob("*.safetensors")]
    assert {link.parent for link in links} == {tmp_path / "kept"}
    assert shared.held_bytes == sum(link.stat().st_size for link in links)
    cache.close()
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_folder_counts_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1").write_text("a")
    before = module._digest_of(tmp_path / "series")
    (tmp_path / "series" / "1").write_text("b")
    assert module._digest_of(tmp_path / "series") != before


def test_the_code_of_a_class_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_of_disk.py").write_text("class Mine:\n    pass\n")
    spec = importlib.util.spec_from_file_location("mine_of_disk", tmp_path / "mine_of_disk.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mine_of_disk", loaded)
    spec.loader.exec_module(loaded)
    first = describe(loaded.Mine())
    assert describe(loaded.Mine()) == first
    (tmp_path / "beside.py").write_text("x = 1")
    assert describe(loaded.Mine()) != first
    monkeypatch.delitem(sys.modules, "mine_of_disk")
    with pytest.raises(Undescribed, match="mine_of_disk"):
        describe(loaded.Mine())


@dataclass(slots=True)
class Slotted:
    """Without a dictionary."""

    value: int


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2), (1, 1.0), ("1", 1), (None, False), ([1, 2], [2, 1]), ((1,), [1]), ({"a": 1}, {"a": 2}), ({1}, {2}),
        (Path("a"), "a"), (np.zeros(2), np.ones(2)), (torch.zeros(2), torch.zeros(2, dtype=torch.int8)),
        (Slotted(1), Slotted(2)), (int, float), ([[1], 2], [1, [2]]), (LoadNifti(BOTH), LoadNifti("image")),
        (LoadNifti(BOTH), LoadNifti(BOTH).keeping_whole()),
    ],
)  # fmt: skip
def test_what_differs_reads_differently(one: object, other: object) -> None:
    assert _words(one) != _words(other)


def _words(thing: object) -> str:
    return describe(thing)


def test_the_order_of_a_mapping_does_not_matter() -> None:
    assert describe({"a": 1, "b": 2}) == describe({"b": 2, "a": 1})


def _holding() -> Any:
    value = 3
    return lambda: value


def _endless() -> list[Any]:
    thing: list[Any] = []
    thing.append(thing)
    return thing


@pytest.mark.parametrize(
    "thing",
    [object(), _holding(), _endless(), re.compile("a"), np.array([object()]), functools.partial(int), iter([])],
    ids=lambda thing: type(thing).__name__,
)
def test_what_cannot_be_seen_has_no_words(thing: object) -> None:
    with pytest.raises(Undescribed):
        describe(thing)


def test_the_user_s_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "vesalia" / "items"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder().parts[-3:] == (".cache", "vesalia", "items")
