"""Items that break in the middle of a run: it stops and names the file, or the next one takes the place."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.volumes import bound, write_volumes
from tests.threads import alive
from vesalia.errors import DataError
from vesalia.pipelines.bad_items import BadItems
from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.pipeline import BoundPipeline

COUNT = 4
NAMES = [f"image{number}" for number in range(COUNT)]


def pipeline(folder: Path, *, say: list[str] | None = None, **args: Any) -> BoundPipeline:
    listed = write_volumes(folder, COUNT)
    run = RunSettings(say=(say if say is not None else []).append)
    return bound(listed, run=run, caches_data=False, **{"num_workers": 2, "prefetch_size": 1, **args})


def tear(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def names(pipe: BoundPipeline, epoch: int) -> list[str]:
    return [name for batch in pipe.epoch(epoch) for name in batch.names[::2]]


@pytest.mark.parametrize("harm", [tear, Path.unlink])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_stops_and_names_the_file(tmp_path: Path, harm: Any, workers: int) -> None:
    pipe = pipeline(tmp_path, num_workers=workers)
    assert sorted(names(pipe, 0)) == NAMES
    harm(tmp_path / "image2.nii.gz")
    with pytest.raises(DataError, match=r"image2\.nii\.gz"):
        list(pipe.epoch(1))
    pipe.close()
    assert not alive()


@pytest.mark.parametrize("harm", [tear, Path.unlink])
@pytest.mark.parametrize("workers", [0, 2])
def test_the_next_one_takes_its_place(tmp_path: Path, harm: Any, workers: int) -> None:
    said: list[str] = []
    pipe = pipeline(tmp_path, say=said, on_bad_item="skip", num_workers=workers)
    whole = names(pipe, 1)
    harm(tmp_path / "image2.nii.gz")
    found = names(pipe, 1)
    following = whole[(whole.index("image2") + 1) % COUNT]
    assert found == [following if name == "image2" else name for name in whole]
    assert len(names(pipe, 2)) == COUNT
    assert len(said) == 1
    assert "image2.nii.gz" in said[0]
    assert "on_bad_item: skip" in said[0]
    assert pipe.bad_items == (said[0].partition("; it is left out")[0],)
    pipe.close()
    assert not alive()


def test_a_replacement_has_crops_of_its_own(tmp_path: Path) -> None:
    pipe = pipeline(tmp_path, on_bad_item="skip", output_batch_size=COUNT)
    (tmp_path / "image2.nii.gz").unlink()
    (batch,) = pipe.epoch(0)
    twice = [row for row, name in enumerate(batch.names) if batch.names.count(name) == 4]
    first, second = batch.fields["image"][twice[:2]], batch.fields["image"][twice[2:]]
    assert not first.equal(second)
    pipe.close()


def test_nothing_is_left(tmp_path: Path) -> None:
    pipe = pipeline(tmp_path, on_bad_item="skip", num_workers=0)
    for file in tmp_path.glob("image*"):
        file.unlink()
    with pytest.raises(DataError, match="found 4 items that cannot be used and no other"):
        list(pipe.epoch(0))


def test_a_cache_is_filled_without_them(tmp_path: Path) -> None:
    listed, said = write_volumes(tmp_path, COUNT), list[str]()
    tear(tmp_path / "label1.nii.gz")
    with bound(listed, on_bad_item="skip", run=RunSettings(say=said.append)) as pipe:
        pipe.fill()
        assert len(said) == 1
        assert "image1" not in names(pipe, 0)
        assert len(names(pipe, 1)) == COUNT
        assert pipe.plan() is not None
    with bound(listed) as pipe, pytest.raises(DataError, match=r"label1\.nii\.gz"):
        pipe.fill()


def test_the_run_goes_before_the_config(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, COUNT)
    tear(tmp_path / "image0.nii.gz")
    with bound(listed, run=RunSettings(on_bad_item="skip")) as pipe:
        assert len(names(pipe, 0)) == COUNT


@pytest.mark.parametrize("cached", [True, False])
def test_whole_samples_leave_them_out(tmp_path: Path, *, cached: bool) -> None:
    listed = write_volumes(tmp_path, COUNT)
    tear(tmp_path / "image1.nii.gz")
    with bound(listed, on_bad_item="skip", caches_data=cached) as pipe:
        pipe.fill()
        assert [sample.name for sample in pipe.samples()] == ["image0", "image2", "image3"]
    with bound(listed, caches_data=False) as pipe, pytest.raises(DataError, match=r"image1\.nii\.gz"):
        list(pipe.samples())


def test_told_once() -> None:
    said: list[str] = []
    bad = BadItems("skip", said.append)
    for _ in range(2):
        bad.report(3, DataError("torn"))
        bad.tell()
    assert said == ["torn; it is left out (on_bad_item: skip)"]
    assert bad.replacement(3, [1, 3, 2]) == 2
    assert bad.replacement(3, [1, 2, 3]) == 1
    BadItems().tell()
