"""Every layout gives the same voxels: channels first, last or none, one item or a batch, in 2D and 3D."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.base import Transform
from vesalia.transforms.intensity.add_gaussian_noise import AddGaussianNoise
from vesalia.transforms.intensity.adjust_contrast import AdjustContrast
from vesalia.transforms.intensity.center_data import CenterData
from vesalia.transforms.intensity.normalize_nonzero_intensities import NormalizeNonzeroIntensities
from vesalia.transforms.intensity.random_gaussian_smooth import RandomGaussianSmooth
from vesalia.transforms.intensity.random_mr_bias_field import RandomMRBiasField
from vesalia.transforms.intensity.scale_intensity_oscillation import ScaleIntensityOscillation
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.intensity.scale_shift_intensity import ScaleShiftIntensity
from vesalia.transforms.label.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)
from vesalia.transforms.label.convert_to_multi_channel_based_on_label import ConvertToMultiChannelBasedOnLabel
from vesalia.transforms.label.split_across_channels import SplitAcrossChannels
from vesalia.transforms.label.split_based_on_brats_classes import SplitBasedOnBratsClasses
from vesalia.transforms.label.split_based_on_label import SplitBasedOnLabel
from vesalia.transforms.points.add_extreme_points_channel import AddExtremePointsChannel
from vesalia.transforms.post.keep_largest_cc import KeepLargestCC
from vesalia.transforms.post.threshold_values import ThresholdValues

MAKERS: list[Callable[[], Transform[Any]]] = [
    lambda: ScaleIntensityRange("image", a_min=0.2, a_max=0.7, clip=True),
    lambda: NormalizeNonzeroIntensities("image"),
    lambda: CenterData("image"),
    lambda: CenterData("image", subtrahend=0.5, divisor=2.0),
    lambda: AdjustContrast("image", probability=0.7),
    lambda: RandomGaussianSmooth("image", probability=0.7),
    lambda: RandomMRBiasField("image", degree=2, probability=0.7),
    lambda: ScaleIntensityOscillation("image", magnitude=0.4),
    lambda: ScaleShiftIntensity("image"),
    lambda: AddGaussianNoise("image"),
    lambda: ThresholdValues("image", threshold=0.4),
    lambda: SplitAcrossChannels("image", channel_names=["a", "b", "c"]),
    lambda: KeepLargestCC("label"),
    lambda: SplitBasedOnLabel("label", label_names=["a", "b", "c", "d"]),
    lambda: SplitBasedOnBratsClasses("label"),
    lambda: ConvertToMultiChannelBasedOnLabel("label", labels=[2, 0]),
    lambda: ConvertToMultiChannelBasedOnBratsClasses("label"),
    lambda: AddExtremePointsChannel("image", "label", sigma=1.0, permutation=1),
]


def laid_out(batch: torch.Tensor, channel: str, *, batched: bool) -> Volume:
    """``[B, C, *spatial]`` data in a layout that can hold it."""
    data = batch.movedim(1, -1) if channel == "last" else batch.squeeze(1) if channel == "none" else batch
    layout: Any = channel
    return Volume(data if batched else data.squeeze(0), channel=layout, batched=batched)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=12)
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=3),
    members=st.integers(1, 3),
    layout=st.sampled_from([("none", 1), ("first", 1), ("first", 3), ("last", 1), ("last", 2)]),
    seed=st.integers(0, 1000),
)
def test_layouts(
    make: Callable[[], Transform[Any]], shape: list[int], members: int, layout: tuple[str, int], seed: int
) -> None:
    channel, channels = layout
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(members, channels, *shape, generator=generator)
    label = torch.randint(0, 5, (members, 1, *shape), generator=generator).to(torch.uint8)
    transform = make()
    plain = Sample({"image": laid_out(image, "first", batched=True), "label": laid_out(label, "first", batched=True)})
    batched = members > 1
    other = Sample({name: laid_out(v.data, channel, batched=batched) for name, v in plain.fields.items()})
    parameters = transform.draw(plain, torch.Generator().manual_seed(seed))
    expected, found = transform.apply(plain, parameters), transform.apply(other, parameters)
    assert set(expected.fields) == set(found.fields)
    for name, volume in expected.fields.items():
        torch.testing.assert_close(found[name].as_batch(), volume.data, atol=1e-5, rtol=1e-5)
        assert found[name].batched == batched
        assert found[name].spatial_shape == tuple(shape)
