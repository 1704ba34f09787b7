"""SegAhnet: the conformance suite in 2D and 3D, its planes, its pyramid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from monai.networks.nets.ahnet import AHNet

from tests.drawn import normal
from vesalia.components.models.segahnet import PyramidPooling, SegAhnet
from vesalia.testing.models import ModelSuite


@pytest.mark.slow
class TestSegAhnet(ModelSuite):
    tolerance = 1e-3  # some sixty layers
    steps = 8

    def make(self) -> SegAhnet:
        return SegAhnet(3, n_spatial_dim=3)


@pytest.mark.slow
class TestSegAhnetIn2DWithPyramid(ModelSuite):
    dims = 2
    in_channels = 2
    steps = 8

    def make(self) -> SegAhnet:
        return SegAhnet(3, if_use_psp=True, in_channels=2)


@pytest.mark.slow
def test_is_monais_network_with_an_activation() -> None:
    ours = SegAhnet(2, n_spatial_dim=3, pretrain_weight_name="", final_activation="softmax").eval()
    twin = AHNet(out_channels=2, psp_block_num=0).eval()
    twin.load_state_dict(ours.network.state_dict())
    image = normal(1, 1, 32, 64, 32)
    torch.testing.assert_close(ours(image), twin(image).softmax(1))


@pytest.mark.slow
@pytest.mark.parametrize(("plane", "axis"), [("y", 3), ("x", 2)])
def test_plane_is_an_axis_turned_to_the_last_place(plane: Literal["y", "x"], axis: int) -> None:
    flat = SegAhnet(2, n_spatial_dim=3).eval()
    turned = SegAhnet(2, n_spatial_dim=3, plane=plane).eval()
    turned.load_state_dict(flat.state_dict())
    image = normal(1, 1, 32, 64, 32)
    torch.testing.assert_close(turned(image), flat(image.movedim(axis, -1)).movedim(-1, axis))


def test_pyramid_sees_windows_in_the_plane() -> None:
    pyramid = PyramidPooling(1, dims=3)
    for project in pyramid.projections:
        torch.nn.init.ones_(project.get_parameter("weight"))
        torch.nn.init.zeros_(project.get_parameter("bias"))
    image = torch.zeros(1, 1, 16, 16, 2)
    image[0, 0, 3, 3, 0] = 1.0
    pooled = pyramid(image)
    assert pooled.shape == (1, 4, 16, 16, 2)
    assert pooled[0, 0, :8, :8, 0].min() == 1.0
    assert pooled[0, 0].sum() == 64
    assert pooled[0, 1, ..., 0].min() == 1.0  # a window of the whole plane
    assert pooled[..., 1].sum() == 0


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("size", [5, 17, 40])
def test_a_window_that_is_larger_than_the_image_is_the_image(dims: int, size: int) -> None:
    pyramid = PyramidPooling(2, dims=dims)
    image = normal(1, 2, *[size, size + 3, 4][:dims])
    for edge, project, found in zip((8, 16, 32, 64), pyramid.projections, pyramid(image)[0], strict=True):
        window = [min(edge, size), min(edge, size + 3), 1][:dims]
        pooled = (F.max_pool3d if dims == 3 else F.max_pool2d)(image, window, ceil_mode=True)
        torch.testing.assert_close(found, F.interpolate(project(pooled), size=image.shape[2:])[0, 0])
