"""A fused chain gives what its steps give one by one, with the same dice."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import example_sample, oblique_affine
from vesalia.transforms.base import Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.crop.crop_fixed_size_random_center import CropFixedSizeRandomCenter
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from vesalia.transforms.fusion import chain as module
from vesalia.transforms.fusion import passes
from vesalia.transforms.fusion.chain import FusedChain
from vesalia.transforms.intensity.add_gaussian_noise import AddGaussianNoise
from vesalia.transforms.intensity.adjust_contrast import AdjustContrast
from vesalia.transforms.intensity.scale_intensity_oscillation import ScaleIntensityOscillation
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.intensity.scale_shift_intensity import ScaleShiftIntensity
from vesalia.transforms.spatial.random_axis_flip import RandomAxisFlip
from vesalia.transforms.spatial.random_rotate_2d import RandomRotate2D
from vesalia.transforms.spatial.random_rotate_3d import RandomRotate3D
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip
from vesalia.transforms.spatial.random_zoom import RandomZoom

BOTH = ["image", "label"]
CROPS: list[Transform[Any]] = [
    CropByPosNegRatio([5, 4, 6], "image", batch_size=3),
    CropFixedSizeRandomCenter(BOTH, size=[5, 4, 6]),
    FastPosNegRatioCropROI([5, 4, 6]),
    FastPosNegRatioCropROI([5, 4, 6], batch_size=2),
    FastPosNegRatioCropROI([5, 4, 6], rotation=True, scale=True),
    FastPosNegRatioCropROI([5, 4, 6], rotation=True, deform=True),
    FastPosNegRatioCropROI([5, 4, 6], scale=True, deform=True, batch_size=2),
]
LATER: list[Transform[Any]] = [
    ScaleIntensityRange("image", a_min=0.0, a_max=2.0, b_min=-1.0, clip=True),
    ScaleIntensityRange("image", a_min=0.0, a_offset=3.0, dtype="float64"),
    RandomSpatialFlip(BOTH),
    RandomAxisFlip(BOTH, probability=0.8),
    ScaleShiftIntensity("image"),
    ScaleIntensityOscillation("image", magnitude=0.2),
    AddGaussianNoise("image", probability=0.7),
    AdjustContrast("image", gamma=1.5, probability=1.0),
]


def both(chain: list[Transform[Any]], sample: Sample, seed: int) -> tuple[Sample, Sample]:
    """One by one, and fused."""
    compose = Compose(chain)
    sample = compose.prepare(sample)
    dice = [torch.Generator().manual_seed(seed) for _ in range(2)]
    return compose(sample, dice[0]), FusedChain(compose)(sample, dice[1])


def differences(one: Sample, other: Sample) -> list[float]:
    """Largest difference of each field; types, layouts and affines must be the same."""
    for name, volume in one.fields.items():
        assert (volume.data.dtype, volume.batched) == (other[name].data.dtype, other[name].batched)
        assert np.allclose(volume.placed, other[name].placed)
    return [
        float((volume.data.double() - other[name].data.double()).abs().max()) for name, volume in one.fields.items()
    ]


@given(
    crop=st.sampled_from(CROPS),
    later=st.lists(st.sampled_from(LATER), max_size=4),
    early=st.lists(st.sampled_from(LATER[:2]), max_size=1),
    seed=st.integers(0, 2**20),
    shape=st.sampled_from([(8, 7, 6), (4, 9, 5)]),
)
def test_any_chain_gives_the_same(
    crop: Transform[Any], later: list[Transform[Any]], early: list[Transform[Any]], seed: int, shape: tuple[int, ...]
) -> None:
    one, other = both([*early, crop, *later], example_sample(shape, seed=seed % 7), seed)
    assert max(differences(one, other)) < 2e-3


def test_a_flip_before_a_crop_moves_the_foreground_that_the_crop_looks_at() -> None:
    label = torch.zeros(1, 12, 12, 12, dtype=torch.uint8)
    label[0, 1, 2, 1] = 1
    volume = Volume(label, oblique_affine(), "first")
    chain: list[Transform[Any]] = [
        RandomAxisFlip("label", probability=1.0),
        CropByPosNegRatio([3, 3, 3], "label", neg=0.0, batch_size=2),
    ]
    for seed in range(5):
        one, other = both(chain, Sample({"label": volume}), seed)
        assert differences(one, other) == [0.0]
        assert other["label"].data.any()


def test_turns_and_zooms_of_crops_become_one_reading() -> None:
    """Two readings blur twice and lose what leaves the crop in between; fused, there is one: near, not equal."""
    grid = torch.linspace(0, 3, 16)
    smooth = torch.sin(grid)[None, :, None, None] + torch.cos(grid)[None, None, :, None] + grid * 0.3
    sample = Sample({"image": Volume(smooth.expand(1, 16, 16, 16).clone(), oblique_affine(), "first")})
    chain: list[Transform[Any]] = [
        CropFixedSizeRandomCenter("image", size=[12, 12, 12]),
        RandomRotate3D("image", probability=1.0, angle=8),
        RandomZoom("image", "image", lower_limits=1.05, upper_limits=1.1),
    ]
    one, other = both(chain, sample, 3)
    inner = (slice(None), *[slice(3, -3)] * 3)
    assert (one["image"].data[inner] - other["image"].data[inner]).abs().max() < 0.02


def test_a_cached_sample_is_not_changed() -> None:
    sample = example_sample((8, 7, 6))
    before = {name: volume.data.clone() for name, volume in sample.fields.items()}
    for crop in CROPS:
        both([crop, *LATER], sample, 1)
    assert all(torch.equal(volume.data, before[name]) for name, volume in sample.fields.items())


def test_an_error_names_the_step_and_the_subject() -> None:
    chain = FusedChain(Compose([RandomSpatialFlip("imag")]))
    with pytest.raises(DataError, match=r"subject0: RandomSpatialFlip: .*no field 'imag'"):
        chain(example_sample((4, 4)), torch.Generator())


TURN = RandomRotate3D("image", angle=3)
BEND = FastPosNegRatioCropROI([4, 4, 4], rotation=True, deform=True)


@pytest.mark.parametrize(
    ("chain", "needed"),
    [
        ([RandomZoom(lower_limits=0.9, upper_limits=1.1)], ["straight"]),
        ([RandomRotate2D("image", angle=3)], ["straight"]),
        ([TURN], ["straight"]),
        ([FastPosNegRatioCropROI([4, 4, 4], rotation=True)], ["straight"]),
        ([BEND], ["bent"]),
        ([BEND, TURN], ["straight", "bent"]),
        ([RandomSpatialFlip("image")], []),
        ([AdjustContrast("image", gamma=1.5)], []),
    ],
)
@pytest.mark.parametrize("numba", [True, False])
def test_loops_are_compiled_where_voxels_are_read_between(
    chain: list[Transform[Any]], needed: list[str], numba: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(module, "is_compiled", lambda: numba)
    monkeypatch.setattr(module, "compile_straight", lambda: compiled.append("straight"))
    monkeypatch.setattr(module, "compile_bent", lambda: compiled.append("bent"))
    thread = FusedChain(Compose(chain)).compile_ahead()
    if thread is not None:
        thread.join()
    assert compiled == (needed if numba else [])


def test_several_threads_write_what_one_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    chain: list[Transform[Any]] = [CropByPosNegRatio([5, 4, 6], "image", batch_size=3), RandomSpatialFlip(BOTH)]
    one, _ = both(chain, example_sample((8, 7, 6)), 1)
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    _, other = both(chain, example_sample((8, 7, 6)), 1)
    assert differences(one, other) == [0.0, 0.0]


def test_an_empty_chain_gives_what_came_in() -> None:
    sample = example_sample((4, 4))
    assert FusedChain(Compose([]))(sample, torch.Generator()) is sample
