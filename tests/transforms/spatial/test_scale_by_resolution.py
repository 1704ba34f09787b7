"""ScaleByResolution: conformance, sizes, spacings and the way labels are read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import integers, uniform
from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution


class TestLinear(TransformSuite):
    inverts = True
    changes_places = True
    takes_batch = False  # the spacing of a batch is not known

    def make(self, dims: int) -> ScaleByResolution:
        return ScaleByResolution("image", target_resolution=(1.0, 1.0, 1.0))

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (11, 5), (8, 6, 5): (12, 5, 10)}[shape]


class TestNearest(TransformSuite):
    inverts = True
    changes_places = True
    takes_batch = False

    def make(self, dims: int) -> ScaleByResolution:
        return ScaleByResolution("label", target_resolution=(1.0,), is_label=True)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (11, 5), (8, 6, 5): (12, 5, 10)}[shape]


def _scaled(data: torch.Tensor, spacing: tuple[float, ...], target: tuple[float, ...], *, label: bool) -> Volume:
    volume = Volume(data, np.diag([*spacing, 1.0]))
    scale = ScaleByResolution("image", target_resolution=target, is_label=label)
    return scale.apply(Sample({"image": volume}), NOTHING)["image"]


def test_labels_only_keep_values_that_were_there() -> None:
    data = integers(4, (9, 8, 7)).to(torch.uint8) * 50
    done = _scaled(data, (1.3, 1.0, 2.1), (1.0, 0.7, 1.5), label=True)
    assert done.data.dtype == torch.uint8
    assert set(done.data.unique().tolist()) <= set(data.unique().tolist())


def test_whole_numbers_become_float_where_they_are_interpolated() -> None:
    done = _scaled(torch.arange(24, dtype=torch.int16).view(4, 3, 2), (1, 1, 1), (0.5, 1, 1), label=False)
    assert done.data.dtype == torch.float32


def test_an_axis_never_vanishes() -> None:
    assert _scaled(uniform(2, 2, 2), (1, 1, 1), (100.0,), label=False).spatial_shape == (1, 1, 1)


@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.tuples(*[st.floats(0.3, 5.0)] * 3),
    st.tuples(*[st.floats(0.3, 5.0)] * 3),
)
def test_field_of_view_and_spacing(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], target: tuple[float, float, float]
) -> None:
    done = _scaled(torch.zeros(shape), spacing, target, label=False)
    for size, mm, wanted, new, reached in zip(shape, spacing, target, done.spatial_shape, done.spacing_mm, strict=True):
        assert new * reached == pytest.approx(size * mm)
        assert new == 1 or abs(new - size * mm / wanted) <= 0.5 + 1e-9


@given(st.tuples(*[st.integers(1, 6)] * 3), st.integers(2, 4), st.integers(0, 99))
def test_finer_and_back_is_the_same_label(shape: tuple[int, int, int], factor: int, seed: int) -> None:
    data = torch.randint(0, 5, shape, generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    finer = _scaled(data, (1, 1, 1), (1 / factor,), label=True)
    back = ScaleByResolution("image", target_resolution=(1.0,), is_label=True)(
        Sample({"image": finer}), torch.Generator()
    )
    assert finer.spatial_shape == tuple(size * factor for size in shape)
    assert torch.equal(back["image"].data, data)
    assert np.allclose(back["image"].placed, np.eye(4))


def test_a_spacing_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"target_resolution: found \[1.0, 0.0\]"):
        ScaleByResolution("image", target_resolution=(1.0, 0.0))
