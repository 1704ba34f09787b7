"""PlainConvUnet: the conformance suite, its shapes, deep supervision, its faults."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from monai.networks.nets.dynunet import DynUNet

from tests.drawn import normal
from vesalia.components.models.base import Trained
from vesalia.components.models.plain_conv_unet import PlainConvUnet
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite

ANISOTROPIC: dict[str, Any] = {
    "features_per_stage": (4, 6, 8),
    "kernel_sizes": [[3, 3, 1], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [2, 2, 1], [2, 2, 2]],
}


class TestPlainConvUnet(ModelSuite):
    def make(self) -> PlainConvUnet:
        return PlainConvUnet(3, features_per_stage=(4, 8))


class TestPlainConvUnetIn2DWithDeepSupervision(ModelSuite):
    dims: ClassVar[int] = 2
    in_channels: ClassVar[int] = 2

    def make(self) -> PlainConvUnet:
        return PlainConvUnet(
            3,
            features_per_stage=(4, 4, 8),
            use_deep_supervision=True,
            n_conv_per_stage=(1,),
            data_dims=2,
            in_channels=2,
        )


class TestAnisotropic(ModelSuite):
    def make(self) -> PlainConvUnet:
        return PlainConvUnet(3, **ANISOTROPIC)


@pytest.mark.parametrize(("args", "divisor", "least"), [({"features_per_stage": (4, 4, 4)}, 4, 8), (ANISOTROPIC, 4, 4)])
def test_sizes_it_takes(args: dict[str, Any], divisor: int, least: int) -> None:
    model = PlainConvUnet(2, **args)
    assert (model.size_divisor, model.least_size) == (divisor, least)


def test_deep_supervision_gives_each_coarser_stage_and_the_same_prediction() -> None:
    torch.manual_seed(0)
    model = PlainConvUnet(2, features_per_stage=(4, 4, 4, 4), use_deep_supervision=True)
    image = normal(1, 1, 16, 16, 16)
    output = model.train()(image)
    assert isinstance(output, Trained)
    assert [tuple(each.shape[2:]) for each in output.deeper] == [(8, 8, 8), (4, 4, 4)]
    torch.testing.assert_close(output.probabilities, model.eval()(image))


def test_is_monais_dynunet_of_plain_blocks() -> None:
    """The same weights in MONAI's network, where the biases that it lacks are nothing."""
    torch.manual_seed(0)
    ours = PlainConvUnet(2, features_per_stage=(4, 6, 8)).eval()
    twin = DynUNet(3, 1, 2, [3, 3, 3], [1, 2, 2], [2, 2], filters=[4, 6, 8]).eval()
    own, theirs = ours.state_dict(), twin.state_dict()
    rows = {"input_block": "encoder.0", "downsamples.0": "encoder.1", "bottleneck": "encoder.2"}
    rows |= {f"upsamples.{index}.conv_block": f"decoder.{index}" for index in range(2)}
    for name, row in rows.items():
        for number in (1, 2):
            own[f"{row}.{number - 1}.conv.bias"].zero_()
            theirs[f"{name}.conv{number}.conv.weight"].copy_(own[f"{row}.{number - 1}.conv.weight"])
            for part in ("weight", "bias"):
                theirs[f"{name}.norm{number}.{part}"].copy_(own[f"{row}.{number - 1}.norm.{part}"])
    for index in range(2):
        own[f"rises.{index}.bias"].zero_()
        theirs[f"upsamples.{index}.transp_conv.conv.weight"].copy_(own[f"rises.{index}.weight"])
    for part in ("weight", "bias"):
        theirs[f"output_block.conv.conv.{part}"].copy_(own[f"heads.0.{part}"])
    image = normal(1, 1, 8, 8, 16)
    torch.testing.assert_close(ours(image), twin(image).softmax(1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"features_per_stage": (4,)}, "features_per_stage: found 1 stage, expected two or more"),
        ({"strides": [[1, 1, 1]]}, "strides: found .*expected 5 stages of 3 numbers"),
        ({"kernel_sizes": [[2, 2, 2]] * 5}, "kernel_sizes: found .*3 odd numbers of 1 or more; write"),
        ({"strides": [[1, 1]] * 5}, "strides: found"),
        ({"strides": [[0, 1, 1]] * 5}, "strides: found"),
        ({"n_conv_per_stage": (2, 2)}, "n_conv_per_stage: found 2 numbers, expected 5"),
        ({"n_conv_per_stage_decoder": (1, 1, 1, 1, 1)}, "n_conv_per_stage_decoder: found 5 numbers, expected 4"),
    ],
)
def test_faults(args: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PlainConvUnet(2, **args)
