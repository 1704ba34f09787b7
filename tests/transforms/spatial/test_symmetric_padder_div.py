"""SymmetricPadderDiv: conformance, and where the zeros go."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.spatial.symmetric_padder_div import SymmetricPadderDiv


class TestSymmetricPadderDiv(TransformSuite):
    inverts = True
    changes_places = True

    def make(self, dims: int) -> SymmetricPadderDiv:
        return SymmetricPadderDiv(["image", "label"], div_int=4)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(-(-size // 4) * 4 for size in shape)


def test_the_odd_voxel_goes_to_the_end() -> None:
    done = SymmetricPadderDiv("image", div_int=(4, 1))(Sample({"image": Volume(torch.ones(5, 3))}), torch.Generator())
    assert done["image"].data[:, 0].tolist() == [0, 1, 1, 1, 1, 1, 0, 0]
    assert done["image"].spatial_shape == (8, 3)


def test_a_size_that_fits_is_not_copied() -> None:
    volume = Volume(torch.ones(8, 4))
    assert SymmetricPadderDiv("image", div_int=4)(Sample({"image": volume}), torch.Generator())["image"] is volume


def test_a_divisor_below_1_is_refused() -> None:
    with pytest.raises(ConfigError, match="div_int: found 0"):
        SymmetricPadderDiv("image", div_int=0)
