"""There and back in all orientations: what comes back lies where it lay in the patient."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalia.imaging.geometry import Affine
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.transforms.base import Invertible, Transform
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.crop.crop_fixed_size_random_center import CropFixedSizeRandomCenter
from vesalia.transforms.crop.crop_foreground_object import CropForegroundObject
from vesalia.transforms.crop.crop_random_size_with_displacement import CropRandomSizeWithDisplacement
from vesalia.transforms.crop.crop_sub_volume_center import CropSubVolumeCenter
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from vesalia.transforms.spatial.convert_to_channels_last import ConvertToChannelsLast
from vesalia.transforms.spatial.random_axis_flip import RandomAxisFlip
from vesalia.transforms.spatial.random_rotate_2d import RandomRotate2D
from vesalia.transforms.spatial.random_rotate_3d import RandomRotate3D
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip
from vesalia.transforms.spatial.random_zoom import RandomZoom
from vesalia.transforms.spatial.scale_by_factor import ScaleByFactor
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution
from vesalia.transforms.spatial.symmetric_padder_div import SymmetricPadderDiv

ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))
BOTH = ("image", "label")
SIZE = (6, 5, 7)

EXACT: list[Transform[Any]] = [
    RandomSpatialFlip(BOTH),
    RandomAxisFlip(BOTH),
    RandomRotate3D(BOTH),
    SymmetricPadderDiv(BOTH, div_int=4),
    ConvertToChannelsLast(BOTH),
    ScaleByFactor(BOTH, factor=1.0),
]
CROPS: list[Transform[Any]] = [
    CropSubVolumeCenter(BOTH, size=SIZE),
    CropFixedSizeRandomCenter(BOTH, size=SIZE),
    CropByPosNegRatio(SIZE, BOTH, batch_size=3),
    CropRandomSizeWithDisplacement(BOTH, lower_size=3, max_displacement=2),
    FastPosNegRatioCropROI(SIZE),
]
RESAMPLED: list[Transform[Any]] = [
    RandomRotate3D(BOTH, probability=1.0, angle=20),
    RandomRotate2D(BOTH, angle=30, is_random=True),
    RandomZoom(lower_limits=0.8, upper_limits=1.3),
    ScaleByResolution("image", target_resolution=(0.9,)),
    ScaleByFactor(BOTH, factor=(1.5, 0.7, 1.0)),
    CropForegroundObject(SIZE, margin=1, pert=2),
    FastPosNegRatioCropROI(SIZE, rotation=True, scale=True),
    FastPosNegRatioCropROI(SIZE, rotation=True, scale=True, batch_size=2),
]


def _affine(orientation: int, spacing: tuple[float, ...], *, turn: float) -> Affine:
    order, signs = ORIENTATIONS[orientation]
    turned: npt.NDArray[np.float64] = np.eye(3)
    turned[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    affine = np.eye(4)
    affine[:3, :3] = turned[:, list(order)] * np.array(signs) * np.array(spacing)
    affine[:3, 3] = (-31.25, 17.5, 120.0)
    return affine


def _ramp(shape: tuple[int, ...], affine: Affine, channel: ChannelAxis) -> Sample:
    """An image that grows by 1 with each mm to the right, beginning at 1, and a label of two parts; never 0 inside."""
    axes = torch.meshgrid(*[torch.arange(size, dtype=torch.float64) for size in shape], indexing="ij")
    right = sum(float(affine[0, axis]) * index for axis, index in enumerate(axes))
    ramp = torch.as_tensor(right)
    label = (axes[0] >= shape[0] // 2).to(torch.uint8) + 1
    volumes = {"image": (ramp - ramp.min() + 1).float(), "label": label}
    layout = {"none": None, "first": 0, "last": -1}[channel]
    data = {name: each if layout is None else each.unsqueeze(layout) for name, each in volumes.items()}
    return Sample({name: Volume(each, affine, channel) for name, each in data.items()})


def _there_and_back(step: Transform[Any], sample: Sample, seed: int) -> Sample:
    assert isinstance(step, Invertible)
    parameters = step.draw(sample, torch.Generator().manual_seed(seed))
    back: Sample = step.invert(step.apply(sample, parameters), parameters, like=sample)
    for name, volume in sample.fields.items():
        assert back[name].data.shape == volume.data.shape
        assert back[name].data.dtype == volume.data.dtype
        assert np.array_equal(back[name].placed, volume.placed)
        assert (back[name].channel, back[name].batched) == (volume.channel, volume.batched)
    return back


def _name(step: Transform[Any]) -> str:
    return type(step).__name__


_GEOMETRY: dict[str, Any] = {
    "orientation": st.integers(0, 47),
    "spacing": st.tuples(*[st.floats(0.6, 2.5)] * 3),
    "turn": st.floats(-0.4, 0.4),
    "shape": st.tuples(*[st.integers(1, 9)] * 3),
    "channel": st.sampled_from(["none", "first", "last"]),
    "seed": st.integers(0, 999),
}


@pytest.mark.parametrize("step", EXACT, ids=_name)
@given(**_GEOMETRY)
def test_nothing_is_lost(step: Transform[Any], *, shape: tuple[int, ...], channel: ChannelAxis, **how: Any) -> None:
    sample = _ramp(shape, _affine(how["orientation"], how["spacing"], turn=how["turn"]), channel)
    back = _there_and_back(step, sample, how["seed"])
    for name in BOTH:
        assert torch.equal(back[name].data, sample[name].data)


@pytest.mark.parametrize("step", CROPS, ids=_name)
@given(**_GEOMETRY)
def test_what_was_cropped_comes_back_to_its_place(
    step: Transform[Any], *, shape: tuple[int, ...], channel: ChannelAxis, **how: Any
) -> None:
    """Also where the crop is larger than the volume: image and label are 0 together, or what they were."""
    sample = _ramp(shape, _affine(how["orientation"], how["spacing"], turn=how["turn"]), channel)
    back = _there_and_back(step, sample, how["seed"])
    seen = back["label"].data > 0
    assert bool(seen.any())
    assert torch.allclose(back["image"].data, sample["image"].data * seen, rtol=1e-5)
    assert torch.equal(back["label"].data, sample["label"].data * seen)


@pytest.mark.parametrize("step", RESAMPLED, ids=_name)
@settings(max_examples=40)
@given(**_GEOMETRY)
def test_what_was_resampled_comes_back_near(
    step: Transform[Any], *, shape: tuple[int, ...], channel: ChannelAxis, **how: Any
) -> None:
    """A smooth image is never far from what it was: the border is read as its own value up to half a voxel out."""
    shape = tuple(size + 3 for size in shape)
    affine = _affine(how["orientation"], how["spacing"], turn=how["turn"])
    sample = _ramp(shape, affine, channel)
    back = _there_and_back(step, sample, how["seed"])
    found, wanted = back["image"].data, sample["image"].data
    ones = replace(sample["image"], data=torch.ones_like(sample["image"].data))
    full = _there_and_back(step, sample.with_fields(image=ones), how["seed"])["image"].data > 1 - 1e-4
    voxel_mm = float(np.abs(affine[0, :3]).sum())
    assert bool(full.any())
    assert float((found - wanted)[full].abs().max()) <= 3 * voxel_mm
    assert set(back["label"].data.unique().tolist()) <= {0, 1, 2}
