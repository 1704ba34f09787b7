"""RandomMRBiasField: conformance, and single terms by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.random_mr_bias_field import BiasFields, RandomMRBiasField


class TestRandomMRBiasField(TransformSuite):
    def make(self, dims: int) -> RandomMRBiasField:
        return RandomMRBiasField("image", probability=0.8)


def field(shape: tuple[int, ...], *term: int) -> torch.Tensor:
    """The field of one product of polynomials, of ones."""
    coefficients = torch.zeros(4 ** len(shape))
    coefficients[sum(number * 4**place for place, number in enumerate(reversed(term)))] = 1.0
    coefficients = coefficients.view(1, *[4] * len(shape))
    sample = Sample({"image": Volume(torch.ones(shape, dtype=torch.int16))})
    return RandomMRBiasField("image").apply(sample, BiasFields(coefficients))["image"].data.log()


def test_terms_by_hand() -> None:
    assert torch.allclose(field((3, 5), 0, 0), torch.ones(3, 5))
    along = torch.linspace(-1, 1, 5)
    assert torch.allclose(field((3, 5), 0, 2)[1], (3 * along**2 - 1) / 2, atol=1e-6)
    along_first = torch.tensor([-1.0, 0.0, 1.0])
    assert torch.allclose(field((3, 5, 2), 1, 3, 0)[:, :, 0], along_first[:, None] * (5 * along**3 - 3 * along) / 2)


def test_no_term_beyond_the_degree() -> None:
    thrown = RandomMRBiasField("image", degree=2, probability=1).draw(example_sample((5, 4)), torch.Generator())
    there = (thrown.coefficients[0] != 0).tolist()
    assert there == [[True, True, True], [True, True, False], [True, False, False]]


def test_probability_0_gives_the_volume_itself() -> None:
    sample = example_sample((5, 4))
    assert RandomMRBiasField("image", probability=0.0)(sample, torch.Generator())["image"] is sample["image"]


def test_one_number_is_a_range_both_ways() -> None:
    assert RandomMRBiasField("image", coeff_range=0.3).coeff_range == (-0.3, 0.3)
    assert RandomMRBiasField("image", coeff_range=[0.0, 0.1]).coeff_range == (0.0, 0.1)
    with pytest.raises(ConfigError, match="coeff_range: found"):
        RandomMRBiasField("image", coeff_range=[0.2, 0.1])


def test_a_degree_of_1_is_a_plane() -> None:
    transform = RandomMRBiasField("image", degree=1, probability=1)
    sample = Sample({"image": Volume(torch.ones(5, 4))})
    field_log = transform(sample, torch.Generator().manual_seed(0))["image"].data.log()
    assert torch.allclose(field_log.diff(n=2, dim=0), torch.zeros(3, 4), atol=1e-6)
    assert float(field_log.abs().max()) <= 0.3 + math.ulp(1.0)
