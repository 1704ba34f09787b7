"""Maps that are pending: read once, together, as reading them one by one would."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.resample import Mode, sample_at
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import example_sample
from vesalia.transforms.fusion import passes
from vesalia.transforms.fusion.pending import Pending
from vesalia.transforms.fusion.work import Work
from vesalia.transforms.spatial.affine_sampling import about_centre, joined, mapped_affine, read_affine
from vesalia.transforms.spatial.bends import Bends, read_bent

SHAPE = (6, 7, 8)


@dataclass(frozen=True, slots=True)
class Maps:
    """Parameters that are maps."""

    rows: torch.Tensor

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """The maps."""
        return self.rows


def random_maps(count: int, *, seed: int, dims: int = 3) -> torch.Tensor:
    """Turns and zooms about the middle."""
    generator = torch.Generator().manual_seed(seed)
    linear = torch.eye(dims, dtype=torch.float64) + torch.randn(count, dims, dims, generator=generator) * 0.15
    return about_centre(linear, SHAPE[:dims])


def smooth(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """``[2, *SHAPE]``, two channels."""
    return (torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(1)) * 50).to(dtype)


@given(seed=st.integers(0, 2**20), dtype=st.sampled_from([torch.float32, torch.int16, torch.uint8, torch.float64]))
def test_a_map_reads_what_resampling_reads(seed: int, dtype: torch.dtype) -> None:
    maps = random_maps(3, seed=seed)
    pending = Pending.of(Volume(smooth(dtype).expand(3, -1, -1, -1, -1), None, "first", batched=True))
    moved = pending.moved(maps, mode="linear")
    out = torch.empty(3, 2, *SHAPE, dtype=moved.dtype)
    passes.write(moved, out)
    wanted = read_affine(smooth(dtype).expand(3, -1, -1, -1, -1), maps, size=SHAPE, mode="linear")
    assert torch.allclose(out, wanted.to(out), atol=2e-3)


@given(seed=st.integers(0, 2**20))
def test_labels_are_read_to_the_bit(seed: int) -> None:
    maps = random_maps(1, seed=seed)
    moved = Pending.of(Volume(smooth(torch.uint8), None, "first")).moved(maps, mode="nearest")
    out = torch.empty(1, 2, *SHAPE, dtype=torch.uint8)
    passes.write(moved, out)
    wanted = read_affine(smooth(torch.uint8)[None], maps, size=SHAPE, mode="nearest")
    assert (out != wanted).float().mean() < 0.005  # places on the very border between two voxels may go either way


@pytest.mark.parametrize("compiled", [True, False])
def test_a_window_is_all_that_is_read(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut, flip, turn, scale: the same with the loops and without."""
    monkeypatch.setattr(passes, "is_compiled", lambda: compiled)
    sample = example_sample((9, 10, 11))
    maps = about_centre(torch.eye(3, dtype=torch.float64)[None] * 1.3, (4, 5, 6))
    work = Work.on(sample)
    work.cut(["image"], torch.tensor([[2, 3, 4]]), size=(4, 5, 6), batched=False)
    work.change(["image"], lambda pending: pending.flipped(torch.tensor([[True, False, False]])))
    work.move({"image": "linear"}, Maps(maps))
    work.change(["image"], lambda pending: pending.flipped(torch.tensor([[False, True, False]])).scaled(2.0, 1.0))
    done = work.finish()["image"]
    crop = sample["image"].data[:, 2:6, 3:8, 4:10].flip(1)
    wanted = read_affine(crop[None], maps, size=(4, 5, 6), mode="linear")[0].flip(2) * 2.0 + 1.0
    assert torch.allclose(done.data, wanted, atol=1e-4)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("mode", "dims"), [("linear", 3), ("nearest", 3), ("linear", 2), ("nearest", 2)])
def test_zero_stands_outside_whatever_was_done_to_values_before(
    mode: Mode, dims: int, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "is_compiled", lambda: compiled)
    sample = example_sample((9, 10, 11)[:dims])
    maps = about_centre(torch.eye(dims, dtype=torch.float64)[None] * 1.6, (9, 10, 11)[:dims])
    work = Work.on(sample)
    work.change(["image"], lambda pending: pending.scaled(2.0, 50.0))
    if mode == "nearest":
        work.change(["image"], lambda pending: pending.clamped(51.0, 52.0))
    work.move({"image": mode}, Maps(maps))
    work.change(["image"], lambda pending: pending.scaled(3.0, 4.0))
    data = sample["image"].data * 2.0 + 50.0
    data = data.clamp(51.0, 52.0) if mode == "nearest" else data
    wanted = read_affine(data[None], maps, size=data.shape[1:], mode=mode)[0] * 3.0 + 4.0
    assert torch.allclose(work.finish()["image"].data, wanted, atol=1e-3)
    assert (wanted == 4.0).any()


@pytest.mark.parametrize("mode", ["linear", "nearest"])
@given(seed=st.integers(0, 2**20), away=st.sampled_from([0.0, 4.0, 40.0]))
def test_several_readings_of_one_volume_need_a_box_of_it_each(mode: Mode, seed: int, away: float) -> None:
    maps = random_maps(3, seed=seed)
    maps[:, :, -1] += torch.tensor([0.0, away, -away])[:, None]
    size = (4, 3, 5)
    pending = Pending.of(Volume(smooth(), None, "first")).scaled(2.0, 30.0)
    moved = pending.moved(maps, mode=mode, size=size, batched=True)
    out = torch.empty(3, 2, *size)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passes, "is_compiled", lambda: False)
        passes.write(moved, out)
    whole = (smooth() * 2.0 + 30.0).expand(3, -1, -1, -1, -1)
    wanted = read_affine(whole, maps, size=size, mode=mode)
    assert torch.allclose(out, wanted, atol=2e-3)


def test_two_maps_are_read_as_one() -> None:
    one, other = random_maps(1, seed=3), random_maps(1, seed=4)
    work = Work.on(example_sample(SHAPE))
    work.move({"image": "linear"}, Maps(one))
    work.move({"image": "linear"}, Maps(other))
    both = joined(one, other)
    image = example_sample(SHAPE)["image"]
    done = work.finish()["image"]
    assert torch.allclose(done.data, read_affine(image.as_batch(), both, size=SHAPE, mode="linear")[0], atol=1e-4)
    assert image.affine is not None
    assert np.allclose(done.placed, mapped_affine(image.affine, both[0]))


@pytest.mark.parametrize("case", ["reaches out", "cut off", "other mode"])
def test_what_does_not_go_together_is_done_first(case: str) -> None:
    sample = example_sample(SHAPE)
    maps = random_maps(1, seed=5)
    work, mode = Work.on(sample), "linear"
    plain = sample["image"].data
    if case == "reaches out":
        work.cut(["image"], torch.tensor([[-1, 0, 0]]), size=SHAPE, batched=False)
        plain = torch.cat([torch.zeros_like(plain[:, :1]), plain[:, :-1]], dim=1)
    elif case == "cut off":
        work.change(["image"], lambda pending: pending.clamped(0.6, 0.9))
        plain = plain.clamp(0.6, 0.9)
    else:
        before: Mode = "nearest"
        work.move({"image": before}, Maps(maps))
        plain = read_affine(plain[None], maps, size=SHAPE, mode=before)[0]
    work.move({"image": "linear"}, Maps(maps))
    wanted = read_affine(plain[None], maps, size=SHAPE, mode="linear")[0]
    assert torch.allclose(work.finish()["image"].data, wanted, atol=1e-4), mode


def test_values_that_are_cut_off_later_are_cut_off() -> None:
    work = Work.on(example_sample(SHAPE))
    work.move({"image": "linear"}, Maps(random_maps(1, seed=6)))
    work.change(["image"], lambda pending: pending.clamped(0.7, 0.8))
    done = work.finish()["image"].data
    assert [float(done.min()), float(done.max())] == pytest.approx([0.7, 0.8])


def test_a_map_in_the_plane_goes_without_loops() -> None:
    maps = random_maps(1, seed=7, dims=2)
    sample = example_sample(SHAPE[:2])
    work = Work.on(sample)
    work.move({"image": "linear"}, Maps(maps))
    wanted = read_affine(sample["image"].as_batch(), maps, size=SHAPE[:2], mode="linear")[0]
    assert torch.allclose(work.finish()["image"].data, wanted, atol=1e-5)


def bent(count: int = 1, *, seed: int, size: Sequence[int] = SHAPE) -> Bends:
    """Some displacements."""
    points = torch.randn(count, len(size), *[3] * len(size), generator=torch.Generator().manual_seed(seed))
    return Bends.over(size, points * 0.7)


@pytest.mark.parametrize("compiled", [True, False])
@given(seed=st.integers(0, 2**20), dims=st.integers(2, 3), mode=st.sampled_from(["linear", "nearest"]))
def test_what_is_bent_is_read_once_with_what_comes_before_and_after(
    *, compiled: bool, seed: int, dims: int, mode: Mode
) -> None:
    """Flip, bend and turn, flip: each voxel of the result is followed back, step by step."""
    shape = SHAPE[:dims]
    one, other = random_maps(1, seed=seed, dims=dims), random_maps(1, seed=seed + 1, dims=dims)
    bends, sample = bent(seed=seed, size=shape), example_sample(shape)
    early, late = torch.tensor([[True, False, True][:dims]]), torch.tensor([[False, True, True][:dims]])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passes, "is_compiled", lambda: compiled)
        work = Work.on(sample)
        work.change(["image"], lambda pending: pending.flipped(early))
        work.move({"image": mode}, Maps(one), bends=bends)
        work.move({"image": mode}, Maps(other))
        work.change(["image"], lambda pending: pending.flipped(late))
        done = work.finish()["image"].data
    places = flipped(grid(shape), late[0], shape)
    places = through(other[0], places)
    places = through(one[0], places) + bends.at(places[None])[0]
    places = flipped(places, early[0], shape)
    wanted = sample_at(sample["image"].as_batch().double(), places, mode=mode)[0]
    if mode == "nearest":
        assert (done != wanted).float().mean() < 0.005
    else:
        assert torch.allclose(done.double(), wanted, atol=1e-4)


def grid(shape: Sequence[int]) -> torch.Tensor:
    """``[dims, *shape]`` voxel indices."""
    return torch.stack(torch.meshgrid(*[torch.arange(float(n), dtype=torch.float64) for n in shape], indexing="ij"))


def through(matrix: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Places that a map leads to."""
    return torch.einsum("ij,j...->i...", matrix[:, :-1], places) + matrix[:, -1].view(-1, *[1] * (places.ndim - 1))


def flipped(places: torch.Tensor, axes: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Places with some axes reversed."""
    rows = zip(places, axes.tolist(), shape, strict=True)
    return torch.stack([length - 1 - row if reverse else row for row, reverse, length in rows])


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_several_bent_readings_of_one_volume(mode: Mode, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with displacements of its own, values scaled, and 0 outside, wherever the box of it lies."""
    monkeypatch.setattr(passes, "is_compiled", lambda: compiled)
    size, maps = (4, 3, 5), random_maps(3, seed=2)
    maps[:, :, -1] += torch.tensor([0.0, 4.0, -40.0])[:, None]
    bends = bent(3, seed=3, size=size)
    pending = Pending.of(Volume(smooth(), None, "first")).scaled(2.0, 30.0)
    moved = pending.moved(maps, mode=mode, size=size, batched=True, bends=bends)
    out = torch.empty(3, 2, *size)
    passes.write(moved, out)
    for member in range(3):
        places = through(maps[member], grid(size)) + bends.over_rows(size, (0, size[0]))[member]
        wanted = sample_at((smooth() * 2.0 + 30.0)[None].double(), places, mode=mode)[0]
        assert torch.allclose(out[member].double(), wanted, atol=2e-3)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_bends_reach_for_is_in_the_box_that_is_read(compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Displacements far larger than the window."""
    monkeypatch.setattr(passes, "is_compiled", lambda: compiled)
    size = (3, 2, 4)
    image = torch.rand(1, 30, 32, 34, generator=torch.Generator().manual_seed(2)) + 1
    maps = torch.eye(3, 4, dtype=torch.float64).repeat(2, 1, 1)
    maps[:, :, 3] = torch.tensor([[12.0, 14.0, 15.0], [10.0, 9.0, 8.0]])
    bends = Bends.over(size, (torch.rand(2, 3, 3, 3, 3, generator=torch.Generator().manual_seed(3)) - 0.5) * 14)
    out = torch.empty(2, 1, *size)
    moved = Pending.of(Volume(image, None, "first")).moved(maps, mode="linear", size=size, batched=True, bends=bends)
    passes.write(moved, out)
    for member in range(2):
        places = through(maps[member], grid(size)) + bends.over_rows(size, (0, 3))[member]
        wanted = sample_at(image[None].double(), places, mode="linear")[0]
        assert (wanted >= 1).all()
        assert torch.allclose(out[member].double(), wanted, atol=1e-4)


def test_one_bent_volume_may_be_read_several_times() -> None:
    maps, bends = random_maps(3, seed=5), bent(seed=6)
    volume = Volume(smooth(), None, "first")
    moved = Pending.of(volume).moved(random_maps(1, seed=4), mode="linear", bends=bends)
    several = moved.moved(maps, mode="linear", batched=True)
    out = torch.empty(3, 2, *SHAPE)
    passes.write(several, out)
    for member in range(3):
        one = torch.empty(1, 2, *SHAPE)
        passes.write(moved.moved(maps[member : member + 1], mode="linear"), one)
        assert torch.allclose(out[member], one[0], atol=1e-4)


def test_what_is_bent_twice_is_read_twice() -> None:
    sample, maps = example_sample(SHAPE), random_maps(1, seed=8)
    work = Work.on(sample)
    wanted = sample["image"].as_batch()
    for seed in (9, 10):
        work.move({"image": "linear"}, Maps(maps), bends=bent(seed=seed))
        wanted = read_bent(wanted, maps, bends=bent(seed=seed), size=SHAPE, mode="linear")
    assert torch.allclose(work.finish()["image"].data, wanted[0], atol=1e-4)
