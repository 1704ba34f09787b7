"""ScaleToShape: conformance, linear and nearest."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import DataError
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.spatial.scale_to_shape import ScaleToShape


class TestLinear(TransformSuite):
    changes_places = True
    inverts = True
    field = "image"

    def make(self, dims: int) -> ScaleToShape:
        return ScaleToShape(self.field, target_shape=(9, 8, 11)[:dims], is_label=self.field == "label")

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (9, 8, 11)[: len(shape)]


class TestNearest(TestLinear):
    field = "label"
    inverse_error_voxels = 0.5


def test_a_shape_of_another_number_of_axes_is_refused() -> None:
    with pytest.raises(DataError, match=r"target_shape: found \[4, 4\], expected 3 numbers"):
        ScaleToShape("image", target_shape=(4, 4))(example_sample((5, 5, 5)), torch.Generator())
