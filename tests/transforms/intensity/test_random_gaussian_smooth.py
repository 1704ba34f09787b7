"""RandomGaussianSmooth: conformance, and SciPy's Gaussian."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.random_gaussian_smooth import RandomGaussianSmooth, Widths


class TestRandomGaussianSmooth(TransformSuite):
    def make(self, dims: int) -> RandomGaussianSmooth:
        return RandomGaussianSmooth("image", probability=0.8)


def blurred(data: torch.Tensor, *sigmas: float) -> torch.Tensor:
    sample = Sample({"image": Volume(data)})
    return RandomGaussianSmooth("image").apply(sample, Widths(torch.tensor([sigmas])))["image"].data


def test_one_voxel_becomes_a_gaussian_of_that_width() -> None:
    data = torch.zeros(41, 31)
    data[20, 15] = 1.0
    done = blurred(data, 3.0, 2.0).double()
    assert done.sum() == pytest.approx(1.0)
    places = torch.arange(41) - 20.0
    assert (done.sum(dim=1) * places**2).sum() == pytest.approx(9 + 1 / 12, rel=1e-3)  # the voxel's own width besides
    places = torch.arange(31) - 15.0
    assert (done.sum(dim=0) * places**2).sum() == pytest.approx(4 + 1 / 12, rel=1e-3)


def test_a_flat_image_stays_flat_to_its_border() -> None:
    assert torch.allclose(blurred(torch.full((6, 5, 4), 3.0), 2.0, 1.0, 5.0), torch.tensor(3.0))


def test_a_width_of_0_leaves_its_axis() -> None:
    data = torch.arange(12).view(3, 4)
    done = blurred(data, 0.0, 1.0)
    assert not torch.allclose(done, data.float())
    assert torch.allclose(done - done[:1], data - data[:1] * 1.0)


def test_probability_0_gives_the_volume_itself() -> None:
    sample = example_sample((5, 4))
    assert RandomGaussianSmooth("image", probability=0.0)(sample, torch.Generator())["image"] is sample["image"]


def test_widths_stay_in_their_bounds() -> None:
    thrown = RandomGaussianSmooth("image", sigma=[1, 2], probability=1).draw(example_sample((5, 4)), torch.Generator())
    assert ((thrown.sigmas >= 1) & (thrown.sigmas <= 2)).all()
    assert thrown.sigmas.shape == (1, 2)
    with pytest.raises(ConfigError, match="sigma: found"):
        RandomGaussianSmooth("image", sigma=-1.0)
