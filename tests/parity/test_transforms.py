"""Transforms against MONAI's, where the two mean the same."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor
from monai.transforms.croppad.array import DivisiblePad
from monai.transforms.intensity.array import (
    AdjustContrast as MonaiAdjustContrast,
)
from monai.transforms.intensity.array import (
    GaussianSmooth,
    NormalizeIntensity,
    RandBiasField,
    ShiftIntensity,
    StdShiftIntensity,
)
from monai.transforms.intensity.array import (
    ScaleIntensityRange as MonaiScaleIntensityRange,
)
from monai.transforms.post.array import AsDiscrete
from monai.transforms.spatial.array import Flip, Resize, Spacing
from monai.transforms.utility.array import (
    AddExtremePointsChannel as MonaiAddExtremePointsChannel,
)
from monai.transforms.utility.array import (
    ConvertToMultiChannelBasedOnBratsClasses as MonaiBratsClasses,
)
from monai.transforms.utility.array import LabelToMask, SplitDim

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import example_sample
from vesalia.transforms.base import NOTHING, Transform
from vesalia.transforms.intensity.adjust_contrast import AdjustContrast, Exponents
from vesalia.transforms.intensity.center_data import CenterData
from vesalia.transforms.intensity.normalize_nonzero_intensities import NormalizeNonzeroIntensities
from vesalia.transforms.intensity.random_gaussian_smooth import RandomGaussianSmooth, Widths
from vesalia.transforms.intensity.random_mr_bias_field import BiasFields, RandomMRBiasField
from vesalia.transforms.intensity.scale_intensity_oscillation import Offsets, ScaleIntensityOscillation
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.intensity.scale_shift_intensity import Contrast, ScaleShiftIntensity
from vesalia.transforms.label.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)
from vesalia.transforms.label.convert_to_multi_channel_based_on_label import ConvertToMultiChannelBasedOnLabel
from vesalia.transforms.label.split_across_channels import SplitAcrossChannels
from vesalia.transforms.label.split_based_on_label import SplitBasedOnLabel
from vesalia.transforms.points.add_extreme_points_channel import AddExtremePointsChannel
from vesalia.transforms.post.argmax_across_channels import ArgmaxAcrossChannels
from vesalia.transforms.post.keep_largest_cc import KeepLargestCC
from vesalia.transforms.post.threshold_values import ThresholdValues
from vesalia.transforms.spatial.flips import Flips
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution
from vesalia.transforms.spatial.symmetric_padder_div import SymmetricPadderDiv

SHAPES = [(11, 9), (10, 9, 7)]


def image(shape: tuple[int, ...], *, seed: int = 0) -> torch.Tensor:
    """Two channels, a tenth of the voxels 0."""
    data = example_sample(shape, seed=seed)["image"].data * 300 - 150
    zeros = torch.rand(data.shape, generator=torch.Generator().manual_seed(seed)) < 0.1
    return data.masked_fill(zeros, 0.0)


def done(transform: Transform[Any], data: torch.Tensor, parameters: Any = NOTHING) -> torch.Tensor:
    """What our transform makes of ``[C, *spatial]`` data."""
    return transform.apply(Sample({"image": Volume(data, np.eye(4), "first")}), parameters)["image"].data


def plain(data: object) -> torch.Tensor:
    """MONAI's answer without its extras."""
    return data.as_tensor() if isinstance(data, MetaTensor) else torch.as_tensor(data)


def assert_same(found: torch.Tensor, expected: object, *, atol: float = 1e-6) -> None:
    torch.testing.assert_close(found.float(), plain(expected).float(), atol=atol, rtol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("clip", [False, True])
def test_scale_intensity_range(shape: tuple[int, ...], clip: bool) -> None:
    window = {"a_min": -57.0, "a_max": 164.0, "b_min": 0.0, "b_max": 1.0, "clip": clip}
    expected = MonaiScaleIntensityRange(**window)(image(shape))  # type: ignore[arg-type]
    assert_same(done(ScaleIntensityRange("image", **window), image(shape)), expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
def test_normalize_nonzero(shape: tuple[int, ...]) -> None:
    expected = NormalizeIntensity(nonzero=True, channel_wise=True)(image(shape))
    assert_same(done(NormalizeNonzeroIntensities("image"), image(shape)), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_center_data(shape: tuple[int, ...]) -> None:
    expected = NormalizeIntensity(subtrahend=[3.0, 4.0], divisor=[5.0, 6.0], channel_wise=True)(image(shape))
    assert_same(done(CenterData("image", subtrahend=[3, 4], divisor=[5, 6]), image(shape)), expected)
    expected = NormalizeIntensity(channel_wise=True)(image(shape))
    assert_same(done(CenterData("image"), image(shape)), expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gamma", [0.5, 1.7])
def test_adjust_contrast(shape: tuple[int, ...], gamma: float) -> None:
    data = image(shape)
    channels = [plain(MonaiAdjustContrast(gamma)(channel[None])) for channel in data]
    found = done(AdjustContrast("image"), data, Exponents(torch.tensor([gamma])))
    assert_same(found / 300, torch.cat(channels) / 300)


def test_gaussian_smooth_away_from_the_border() -> None:
    """MONAI's kernel ends at 4 sigmas, and beyond the border it sees zeros."""
    data = image((40, 42, 44)) / 300
    expected = plain(GaussianSmooth(sigma=(1.0, 0.7, 1.3), approx="erf")(data))
    found = done(RandomGaussianSmooth("image"), data, Widths(torch.tensor([[1.0, 0.7, 1.3]])))
    inner = (slice(None), *[slice(7, -7)] * 3)
    assert_same(found[inner], expected[inner], atol=2e-4)


def test_bias_field() -> None:
    monai = RandBiasField(degree=3, coeff_range=(-0.3, 0.3), prob=1.0)
    monai.set_random_state(seed=1)
    expected = monai(image((10, 9, 7)))
    coefficients = torch.zeros(4, 4, 4)
    terms = [(i, j, k) for i in range(4) for j in range(4 - i) for k in range(4 - i - j)]
    for (i, j, k), value in zip(terms, monai._coeff, strict=True):
        coefficients[i, j, k] = value
    found = done(RandomMRBiasField("image"), image((10, 9, 7)), BiasFields(coefficients[None]))
    assert_same(found / 300, plain(expected) / 300)


@pytest.mark.parametrize("shape", SHAPES)
def test_shifts(shape: tuple[int, ...]) -> None:
    found = done(ScaleIntensityOscillation("image", magnitude=1.0), image(shape), Offsets(torch.tensor([0.3])))
    assert_same(found, ShiftIntensity(offset=0.3)(image(shape)))
    contrast = Contrast(torch.ones(1, 2), torch.full((1, 2), 0.4))
    channels = [plain(StdShiftIntensity(factor=0.4)(channel[None])) for channel in image(shape)]
    found = done(ScaleShiftIntensity("image"), image(shape), contrast)
    assert_same(found / 300, torch.cat(channels) / 300)


@pytest.mark.parametrize(("shape", "spacing"), [((12, 10, 8), (0.5, 2.0, 1.0)), ((8, 6, 10), (3.0, 1.0, 0.4))])
def test_scale_by_resolution(shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    """Voxel edges coincide, as MONAI's Resize has it; a label is read at the nearest voxel."""
    affine = np.diag([*spacing, 1.0])
    sample = Sample({"image": Volume(image(shape), affine, "first")})
    found = ScaleByResolution("image", target_resolution=[1.0, 1.0, 1.0]).apply(sample, NOTHING)["image"]
    size = [round(n * s) for n, s in zip(shape, spacing, strict=True)]
    expected = Resize(spatial_size=size, mode="trilinear", align_corners=False)(image(shape))
    assert found.spatial_shape == tuple(size)
    assert_same(found.data / 300, plain(expected) / 300, atol=1e-5)


def test_scale_by_resolution_is_monais_spacing_away_from_the_border() -> None:
    """MONAI keeps the first voxel's centre where we keep the edges, so both are asked at the same millimetres."""
    shape, spacing = (12, 10, 8), (0.5, 2.0, 1.0)
    ramp = torch.stack(torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in shape], indexing="ij"))
    millimetres = ramp * torch.tensor(spacing).view(3, 1, 1, 1)
    affine = np.diag([*spacing, 1.0])
    sample = Sample({"image": Volume(millimetres, affine, "first")})
    found = ScaleByResolution("image", target_resolution=[1.0, 1.0, 1.0]).apply(sample, NOTHING)["image"]
    monai = Spacing(pixdim=(1.0, 1.0, 1.0), mode="bilinear", padding_mode="border")(
        MetaTensor(millimetres, affine=torch.from_numpy(affine))
    )
    assert isinstance(monai, MetaTensor)
    for data, placed in ((found.data, found.placed), (plain(monai), monai.affine.numpy())):
        grid = np.stack(np.meshgrid(*[np.arange(n) for n in data.shape[1:]], indexing="ij"))
        expected = np.einsum("wd,d...->w...", placed[:3, :3], grid) + placed[:3, 3].reshape(3, 1, 1, 1)
        inner = (slice(None), *[slice(2, -2)] * 3)
        np.testing.assert_allclose(data.numpy()[inner], expected[inner], atol=1e-4)


@pytest.mark.parametrize(("shape", "k"), [((11, 9), 4), ((10, 9, 7), 8), ((8, 16, 4), 4)])
def test_symmetric_padder_div(shape: tuple[int, ...], k: int) -> None:
    assert_same(done(SymmetricPadderDiv("image", div_int=k), image(shape)), DivisiblePad(k=k)(image(shape)))


@pytest.mark.parametrize("shape", SHAPES)
def test_flips(shape: tuple[int, ...]) -> None:
    axes = torch.zeros(1, len(shape), dtype=torch.bool)
    axes[0, 1] = True
    assert_same(done(RandomSpatialFlip("image"), image(shape), Flips(axes)), Flip(spatial_axis=1)(image(shape)))


@pytest.mark.parametrize("shape", SHAPES)
def test_post(shape: tuple[int, ...]) -> None:
    data = image(shape)
    assert_same(done(ArgmaxAcrossChannels("image"), data), AsDiscrete(argmax=True)(data))
    assert_same(done(ThresholdValues("image", threshold=20.5), data), AsDiscrete(threshold=20.5)(data))


def largest_twin(label: torch.Tensor, value: int) -> set[tuple[int, ...]]:
    """The voxels of the largest piece of one value, by walking from neighbour to neighbour."""
    left = {tuple(voxel) for voxel in (label == value).nonzero().tolist()}
    steps = list(itertools.product((-1, 0, 1), repeat=label.ndim))
    pieces: list[set[tuple[int, ...]]] = []
    while left:
        piece, border = set(), [min(left)]
        while border:
            voxel = border.pop()
            if voxel in left:
                left.remove(voxel)
                piece.add(voxel)
                border += [tuple(map(sum, zip(voxel, step, strict=True))) for step in steps]
        pieces.append(piece)
    return max(pieces, key=len)


@pytest.mark.parametrize("shape", [(14, 13), (9, 8, 7)])
def test_keep_largest_cc(shape: tuple[int, ...]) -> None:
    """Without MONAI's, which needs scikit-image."""
    drawn = torch.randint(0, 9, shape, generator=torch.Generator().manual_seed(4))
    label = torch.where(drawn < 3, drawn, 0)
    found = done(KeepLargestCC("image"), label[None])[0]
    for value in (1, 2):
        kept = {tuple(voxel) for voxel in (found == value).nonzero().tolist()}
        assert kept == largest_twin(label, value)


@pytest.mark.parametrize("shape", SHAPES)
def test_label_maps(shape: tuple[int, ...]) -> None:
    label = example_sample(shape)["label"].data
    sample = Sample({"image": Volume(label, np.eye(4), "first")})
    split = SplitBasedOnLabel("image", label_names=["a", "b", "c", "d"]).apply(sample, NOTHING)
    for value, name in enumerate("abcd"):
        assert_same(split[name].data, LabelToMask(select_labels=[value])(label))
    channels = done(ConvertToMultiChannelBasedOnLabel("image", class_names=["a", "b", "c"]), label)
    assert_same(channels, AsDiscrete(to_onehot=3)(label))
    tumour = torch.tensor([0, 1, 2, 4], dtype=torch.uint8)[label.long()]
    assert_same(done(ConvertToMultiChannelBasedOnBratsClasses("image"), tumour), MonaiBratsClasses()(tumour[0]))
    sample = Sample({"image": Volume(image(shape), np.eye(4), "first")})
    parts = SplitAcrossChannels("image", channel_names=["a", "b"]).apply(sample, NOTHING)
    expected = SplitDim(dim=0)(image(shape))
    assert_same(parts["b"].data, expected[1])


def test_extreme_points() -> None:
    """A cross, whose outermost slices hold one voxel each: MONAI has nothing to throw dice for."""
    label = torch.zeros(1, 31, 33, 35)
    label[0, 6:25, 16, 17] = 1
    label[0, 15, 8:26, 17] = 1
    label[0, 15, 16, 5:29] = 1
    data = image((31, 33, 35))
    expected = plain(MonaiAddExtremePointsChannel()(data, label, sigma=2.0))
    sample = Sample({"image": Volume(data, np.eye(4), "first"), "label": Volume(label, np.eye(4), "first")})
    transform = AddExtremePointsChannel("image", "label", sigma=2.0)
    found = transform(sample, torch.Generator())["image"].data
    assert_same(found[:2], expected[:2])
    assert_same(found[2], expected[2], atol=0.02)  # MONAI's Gaussian is that of a voxel's width, and ends at 4 sigmas
