"""A plain network as a model: what trying it shows, and which of its outputs counts."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.drawn import normal
from vesalia.components.models.wrapped import NetworkFacts, WrappedModel, constructor_arguments, explore
from vesalia.errors import ConfigError


class Halving(nn.Module):
    """Down by ``times`` halvings and up again; what it gives is chosen."""

    def __init__(self, times: int = 1, *, gives: str = "tensor", dims: int = 3) -> None:
        super().__init__()
        conv, up = (nn.Conv3d, nn.ConvTranspose3d) if dims == 3 else (nn.Conv2d, nn.ConvTranspose2d)
        self.down = nn.ModuleList([conv(1, 1, 2, stride=2) for _ in range(times)])
        self.up = nn.ModuleList([up(1, 1, 2, stride=2) for _ in range(times)])
        self.last = conv(1, 2, 1)
        self.gives = gives

    def forward(self, image: torch.Tensor) -> Any:
        features = image
        for layer in [*self.down, *self.up]:
            features = layer(features)
        found = self.last(features)
        extra = torch.zeros(())
        outputs: dict[str, Any] = {"tensor": found, "pair": (found, extra), "nested": [[found, extra]]}
        outputs["stacked"] = torch.stack([found, found * 0], dim=1)
        return outputs[self.gives]


class Strict(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if image.shape[-1] != 10:
            message = "ten or nothing"
            raise KeyError(message)
        return image


class Uncopied(nn.Module):
    def __deepcopy__(self, _: object) -> None:
        message = "no"
        raise TypeError(message)


def wrapped(network: nn.Module, **more: Any) -> WrappedModel:
    sizes = {"num_classes": 2, "in_channels": 1, "data_dims": 3, "final_activation": "softmax", **more}
    return WrappedModel(network, **sizes)


@pytest.mark.parametrize(("times", "divisor"), [(0, 1), (1, 2), (3, 8)])
@pytest.mark.parametrize("dims", [2, 3])
def test_trying_shows_the_divisor(times: int, divisor: int, dims: int) -> None:
    assert explore(Halving(times, dims=dims), in_channels=1, data_dims=dims) == NetworkFacts(divisor, divisor, 2)


@pytest.mark.parametrize("network", [Strict(), Uncopied()])
def test_what_cannot_be_tried_is_taken_at_its_word(network: nn.Module) -> None:
    assert explore(network, in_channels=1, data_dims=3) == NetworkFacts()


def test_trying_changes_nothing() -> None:
    network = Halving()
    network.train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    dice = torch.random.get_rng_state()
    explore(network, in_channels=1, data_dims=3)
    assert network.training
    assert torch.equal(dice, torch.random.get_rng_state())
    assert all(torch.equal(before[name], weight) for name, weight in network.state_dict().items())


@pytest.mark.parametrize("gives", ["tensor", "pair", "nested", "stacked"])
def test_the_first_output_counts(gives: str) -> None:
    network = Halving(gives=gives)
    image = normal(2, 1, 4, 4, 4)
    found = wrapped(network).eval()(image)
    network.gives = "tensor"
    torch.testing.assert_close(found, network(image).softmax(1))


def test_sizes_are_refused_in_words() -> None:
    model = wrapped(Halving(2))
    assert model.size_divisor == 4
    with pytest.raises(ConfigError, match="multiples of 4"):
        model(normal(1, 1, 8, 8, 6))


def test_sizes_that_a_normalisation_refuses_are_too_small() -> None:
    network = nn.Sequential(nn.Conv3d(1, 2, 2, stride=2), nn.InstanceNorm3d(2), nn.ConvTranspose3d(2, 2, 2, stride=2))
    assert explore(network, in_channels=1, data_dims=3) == NetworkFacts(2, 4, 2)
    with pytest.raises(ConfigError, match="at least 4"):
        wrapped(network)(normal(1, 1, 8, 8, 2))


def test_weights_with_two_names_are_saved_once() -> None:
    one, other = Halving(), Halving()
    one.again = one.last
    other.again = other.last
    model, copied = wrapped(one), wrapped(other)
    state = model.state_dict()
    assert not [name for name in state if "again" in name]
    copied.load_state_dict(state)
    assert torch.equal(other.last.weight, one.last.weight)


def test_a_divisor_that_is_given_wins() -> None:
    assert wrapped(Halving(2), size_divisor=8).size_divisor == 8


def test_another_number_of_channels_is_a_fault() -> None:
    with pytest.raises(
        ConfigError, match="num_classes: found 3, expected 2, the channels that the network gives; write 2"
    ):
        wrapped(Halving(), num_classes=3)


def test_stays_in_float32_under_autocast_on_cpus() -> None:
    model = wrapped(Halving())
    image = normal(1, 1, 4, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(image)
    assert torch.equal(found, model(image))


def test_sizes_go_by_the_names_a_constructor_has() -> None:
    class Network(nn.Module):
        def __init__(self, spatial_dims: int, in_channels: int, out_channels: int, width: int = 3) -> None:
            super().__init__()

    sizes = {"num_classes": 4, "in_channels": 2, "data_dims": 3}
    expected = {"spatial_dims": 3, "in_channels": 2, "out_channels": 5, "width": 8}
    assert constructor_arguments(Network, {"width": 8, "out_channels": 5}, **sizes) == expected
