"""LibraryModel: the conformance suite with MONAI's networks, and what it refuses."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks.nets.unet import UNet

from tests.drawn import normal
from vesalia.components.models.base import Trained
from vesalia.components.models.library_model import LibraryModel
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite

NETS = "monai.networks.nets"
SMALL: dict[str, Any] = {"channels": (4, 8, 8), "strides": (2, 2)}


class TestUNet(ModelSuite):
    def make(self) -> LibraryModel:
        return LibraryModel(f"{NETS}.UNet", 3, arguments={**SMALL, "norm": ["GROUP", {"num_groups": 2}]})


class TestDynUNetIn2D(ModelSuite):
    dims = 2
    in_channels = 2

    def make(self) -> LibraryModel:
        arguments = {"kernel_size": [3] * 3, "strides": [1, 2, 2], "upsample_kernel_size": [2, 2], "filters": [4, 8, 8]}
        return LibraryModel(f"{NETS}.DynUNet", 3, arguments=arguments, data_dims=2, in_channels=2)


class TestResNetClassifies(ModelSuite):
    dims = 2
    classifies = True

    def make(self) -> LibraryModel:
        arguments = {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [4, 8, 8, 8]}
        return LibraryModel(f"{NETS}.ResNet", 3, arguments=arguments, data_dims=2)

    def image(self, model: Any, *, batch: int = 2, multiples: tuple[int, ...] = (1, 2, 1)) -> torch.Tensor:
        return super().image(model, batch=batch, multiples=tuple(32 * each for each in multiples))


def test_is_monais_network_with_an_activation() -> None:
    ours = LibraryModel(f"{NETS}.UNet", 1, arguments={**SMALL, "out_channels": 1}, final_activation="sigmoid").eval()
    twin = UNet(3, 1, 1, **SMALL).eval()
    twin.load_state_dict(ours.network.state_dict())
    image = normal(1, 1, 8, 8, 8)
    torch.testing.assert_close(ours(image), twin(image).sigmoid())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("DenseNet121", {"pretrained": True}),
        ("HoVerNet", {"pretrained_url": "http://x"}),
        ("TorchVisionFCModel", {"weights": "DEFAULT"}),
    ],
)
def test_pretrained_weights_are_refused(name: str, arguments: dict[str, Any]) -> None:
    named = next(iter(arguments))
    with pytest.raises(ConfigError, match=rf"{named}: found .*, expected nothing \(no weights are fetched\)"):
        LibraryModel(f"{NETS}.{name}", 2, arguments=arguments)


def test_pretrained_weights_are_not_fetched_by_default() -> None:
    model = LibraryModel(f"{NETS}.EfficientNetBN", 2, arguments={"model_name": "efficientnet-b0"}, data_dims=2)
    assert model(normal(2, 1, 64, 64)).shape == (2, 2)


@pytest.mark.parametrize("path", ["os.system", "torch.nn.Linear", "monai.networks.nets.Nothing", "monai.data.Dataset"])
def test_other_code_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a class of monai\.networks\.nets"):
        LibraryModel(path, 2)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="which is no network"):
        LibraryModel(f"{NETS}.spade_network.UpsamplingModes", 2)


def test_what_loads_weights_of_others_is_refused() -> None:
    with pytest.raises(ConfigError, match="fetches or loads weights of others"):
        LibraryModel(f"{NETS}.transchex.Transchex", 2)


def test_can_be_rehearsed_without_weights_even_if_its_constructor_computes() -> None:
    pytest.importorskip("einops", reason="MONAI's SwinUNETR needs einops, which is not installed here")
    with torch.device("meta"):
        model = LibraryModel(f"{NETS}.SwinUNETR", 2, arguments={"feature_size": 12, "depths": [1, 1, 1, 1]})
    assert model.size_divisor == 32


def test_whatever_a_constructor_refuses_with_is_told() -> None:
    with pytest.raises(ValueError, match=r"^UNet, \w+: ."):
        LibraryModel(f"{NETS}.UNet", 2, arguments={**SMALL, "norm": "nothing"})


@pytest.mark.parametrize(
    ("path", "arguments", "edges"),
    [
        (
            "monai.networks.nets.DynUNet",
            {
                "kernel_size": [3, 3, 3, 3],
                "strides": [1, 2, 2, 2],
                "upsample_kernel_size": [2, 2, 2],
                "filters": [4, 4, 4, 4],
                "deep_supervision": True,
                "deep_supr_num": 2,
            },
            [16, 16],
        ),
        (
            "monai.networks.nets.SegResNetDS",
            {"dsdepth": 3, "init_filters": 4, "blocks_down": [1, 1, 1], "norm": "instance"},
            [8],
        ),
    ],
)
def test_deep_supervision_of_the_library_reaches_the_loss(
    path: str, arguments: dict[str, Any], edges: list[int]
) -> None:
    torch.manual_seed(0)
    model = LibraryModel(path, 2, arguments=arguments)
    image = normal(1, 1, 16, 16, 16)
    output = model.train()(image)
    assert isinstance(output, Trained)
    assert [each.shape[-1] for each in output.deeper] == edges
    torch.testing.assert_close(output.probabilities, model.eval()(image))
