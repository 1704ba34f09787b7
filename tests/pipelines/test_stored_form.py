"""Items kept as whole numbers: fewer bytes, and nobody behind the cache sees a difference."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.fakes import Noise
from tests.pipelines.volumes import BOTH, SHAPE, augmenting, bound, loading, write_volumes
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.stored_form import CacheType, StoredForm
from vesalia.transforms.base import Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.intensity.center_data import CenterData
from vesalia.transforms.intensity.normalize_nonzero_intensities import NormalizeNonzeroIntensities
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.convert_to_channels_last import ConvertToChannelsLast
from vesalia.transforms.spatial.random_rotate_3d import RandomRotate3D
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution
from vesalia.transforms.spatial.symmetric_padder_div import SymmetricPadderDiv

Chain = list[Transform[Any]]
LOAD: Chain = [LoadNifti(BOTH), ConvertToChannelsFirst(BOTH)]
CENTRED = CenterData("image", subtrahend=40.0, divisor=[120.0])
VOXELS = 14 * 12 * 10


def chains() -> dict[str, Chain]:
    return {
        "window of a CT": loading(),
        "no step on values": LOAD,
        "two steps": [*loading(), CENTRED],
        "centred": [*LOAD, CENTRED],
        "each by its own": [*LOAD, NormalizeNonzeroIntensities("image")],
        "padded": [*LOAD, SymmetricPadderDiv(BOTH, div_int=4), *loading()[2:]],
        "resampled": [*LOAD, ScaleByResolution("image", target_resolution=[1, 1, 1]),
                      ScaleByResolution("label", target_resolution=[1, 1, 1], is_label=True), *loading()[2:]],
        "resampled to what it is": [*LOAD, ScaleByResolution("image", target_resolution=[0.8, 0.8, 2]), *loading()[2:]],
        "turned": [*loading(), RandomRotate3D(BOTH, probability=1.0, angle=20.0)],
    }  # fmt: skip


def both(listed: Path, chain: Sequence[Transform[Any]], **args: Any) -> tuple[BoundPipeline, BoundPipeline]:
    compact, plain = (bound(listed, chain, cache_dtype=kind, **args) for kind in ("auto", "float32"))
    return compact, plain


@pytest.mark.parametrize("name", chains())
@pytest.mark.parametrize("kind", ["int16", "uint16", "float32", "uint8"])
def test_whole_samples_are_the_same(tmp_path: Path, name: str, kind: str) -> None:
    compact, plain = both(write_volumes(tmp_path, 2, kind=kind), chains()[name])
    for found, expected in zip(compact.samples(), plain.samples(), strict=True):
        for field in BOTH:
            assert found[field].data.dtype == expected[field].data.dtype
            torch.testing.assert_close(found[field].data, expected[field].data, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["window of a CT", "no step on values", "two steps", "each by its own"])
def test_batches_are_the_same(tmp_path: Path, name: str) -> None:
    compact, plain = both(write_volumes(tmp_path, 3), [*chains()[name], *augmenting()], batched_by_transforms=True)
    for found, expected in zip(compact.epoch(0), plain.epoch(0), strict=True):
        assert torch.equal(found.fields["label"], expected.fields["label"])
        assert found.fields["image"].dtype == torch.float32
        torch.testing.assert_close(found.fields["image"], expected.fields["image"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "chain", "bytes_each"),
    [
        ("int16", "window of a CT", 2),
        ("uint8", "window of a CT", 1),
        ("int16", "no step on values", 2),
        ("int16", "resampled to what it is", 2),
        ("float32", "window of a CT", 4),
        ("int16", "each by its own", 4),
    ],
)
def test_an_item_takes_the_bytes_of_its_file(tmp_path: Path, kind: str, chain: str, bytes_each: int) -> None:
    pipeline = bound(write_volumes(tmp_path, 1, kind=kind), chains()[chain])
    pipeline.fill()
    plan = pipeline.plan()
    assert plan is not None
    assert plan.item_bytes == VOXELS * (bytes_each + 1)


def test_halves_are_a_choice(tmp_path: Path) -> None:
    listed = write_volumes(tmp_path, 2, kind="float32")
    half, plain = (bound(listed, loading(), cache_dtype=kind) for kind in ("float16", "float32"))
    half.fill()
    plan = half.plan()
    assert plan is not None
    assert plan.item_bytes == VOXELS * 3
    for found, expected in zip(half.samples(), plain.samples(), strict=True):
        assert found["image"].data.dtype == torch.float32
        torch.testing.assert_close(found["image"].data, expected["image"].data, atol=1e-3, rtol=0)


def test_what_halves_cannot_hold_stays() -> None:
    form = StoredForm.split(Compose([]), Compose([]), kind="float16")
    large = Sample({"image": Volume(torch.full((1, 2, 2), 1e6), channel="first")})
    assert form.compact(large)["image"].data.dtype == torch.float32


def test_nothing_waits_where_the_next_step_needs_the_volume() -> None:
    assert StoredForm.split(Compose(loading()), Compose([Noise()]), kind="auto").prefix.transforms[2:] != ()
    assert StoredForm.split(Compose(loading()), Compose([Noise()]), kind="auto").restoring == ()


def test_steps_on_labels_do_not_wait() -> None:
    scaled = ScaleIntensityRange("label", a_min=0, a_max=1)
    form = StoredForm.split(Compose([*LOAD, scaled]), Compose(augmenting()), kind="auto")
    assert form.waiting.transforms == ()


def test_steps_that_may_not_get_whole_numbers_get_none(tmp_path: Path) -> None:
    class Strict(Probe):
        """Of an archive."""

    probe = Strict()
    list(bound(write_volumes(tmp_path, 1), [*LOAD, probe]).samples())
    assert probe.seen == [torch.float32]


class Probe(ConvertToChannelsFirst):
    """Notes what it is given."""

    takes_whole_numbers = False

    def __init__(self) -> None:
        super().__init__("image")
        self.seen: list[torch.dtype] = []

    def transform(self, sample: Sample) -> Sample:
        self.seen.append(sample["image"].data.dtype)
        return sample


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.0, 3.0, 255.0], torch.uint8),
        ([-1.0, 3.0], torch.int16),
        ([0.5, 1.0], torch.float32),
        ([0.0, 40000.0], torch.float32),
        ([], torch.float32),
    ],
)
def test_floats_that_are_whole_become_so(values: list[float], dtype: torch.dtype) -> None:
    form = StoredForm.split(Compose([]), Compose([]), kind="auto")
    sample = Sample({"image": Volume(torch.tensor([[values]]), channel="first")})
    assert form.compact(sample)["image"].data.dtype == dtype


def test_a_fraction_far_from_the_middle_is_found() -> None:
    data = torch.zeros(1, 100, 100)
    data[0, 0, 0] = 0.25
    form = StoredForm.split(Compose([]), Compose([]), kind="auto")
    assert form.compact(Sample({"image": Volume(data, channel="first")}))["image"].data is data


def test_labels_below_zero_are_refused_as_ever() -> None:
    form = StoredForm(Compose([]), kind="auto", whole=frozenset({"label"}))
    label = torch.tensor([[[-1, 2]]], dtype=torch.int16)
    assert form.compact(Sample({"label": Volume(label, channel="first")}))["label"].data.dtype == torch.float32


STEPS: dict[str, Callable[[], Transform[Any]]] = {
    "first": lambda: ConvertToChannelsFirst(BOTH),
    "last": lambda: ConvertToChannelsLast(BOTH),
    "resolution": lambda: ScaleByResolution("image", target_resolution=[1.0, 1.0, 1.5]),
    "label resolution": lambda: ScaleByResolution("image", target_resolution=[1.0, 1.0, 1.5], is_label=True),
    "pad": lambda: SymmetricPadderDiv(BOTH, div_int=8),
    "range": lambda: ScaleIntensityRange("image", a_min=-3, a_max=200, clip=True),
    "centre": lambda: CenterData("image"),
    "normalise": lambda: NormalizeNonzeroIntensities("image"),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16])
def test_steps_that_say_so_take_whole_numbers(name: str, dtype: torch.dtype) -> None:
    step, dice = STEPS[name](), torch.Generator()
    whole = torch.randint(0, 200, SHAPE, generator=dice.manual_seed(3)).to(dtype)
    found, expected = (
        step(Sample(dict.fromkeys(BOTH, Volume(data))), dice)["image"] for data in (whole, whole.float())
    )
    assert step.takes_whole_numbers
    torch.testing.assert_close(found.data.float(), expected.data, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", ["auto", "float16"])
def test_restoring_works_one_step_after_the_other_too(kind: CacheType) -> None:
    form = StoredForm.split(Compose(loading()), Compose([]), kind=kind)
    image = Volume(torch.arange(24.0).reshape(1, 2, 3, 4), channel="first")
    expected = image.data
    waiting: Sequence[Transform[Any]] = ()
    if kind == "auto":
        expected, waiting = ((image.data + 200) / 500).clamp(0, 1), form.restoring
    kept = form.compact(Sample({"image": image}))
    found = Compose([*(waiting or form.restoring)])(kept, torch.Generator())
    assert form.restoring[0].called == "cache"
    torch.testing.assert_close(found["image"].data, expected)
