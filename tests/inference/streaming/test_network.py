"""A network by windows: the probabilities it gives itself, slab by slab, whatever its last layer is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch

from tests.inference.streaming.nets import CPU, Kind, Net, network
from vesalia.components.models.base import FinalActivation
from vesalia.inference.streaming.network import Network

IMAGE = torch.randn(2, 1, 8, 6, 4, generator=torch.Generator().manual_seed(0))
PLACE = (slice(2, 7), slice(0, 6), slice(1, 3))
INSIDE: Any = (slice(None), *PLACE)


def probabilities(net: Network, member: int = 1) -> torch.Tensor:
    return net.probabilities(net(IMAGE), member, place=PLACE)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear"])
@pytest.mark.parametrize("kind", ["pointwise", "wide"])
def test_probabilities_are_the_networks_own(kind: Kind, activation: FinalActivation) -> None:
    net = network(kind=kind, activation=activation)
    with torch.no_grad():
        expected = net.model(IMAGE)[1][INSIDE]
    torch.testing.assert_close(probabilities(net), expected)
    weights = torch.rand(expected.shape[1:])
    weighted = net.probabilities(net(IMAGE), 1, place=PLACE, weights=weights)
    torch.testing.assert_close(weighted, expected * weights)
    assert (net.seek_head(channels=1, dims=3) is not None) == (kind == "pointwise")
    assert net.seconds > 0


def test_a_last_layer_without_bias() -> None:
    model = Net(bias=False).eval()
    with torch.no_grad():
        expected = model(IMAGE)[1][INSIDE]
    torch.testing.assert_close(probabilities(Network(model, CPU, nullcontext)), expected)


def test_under_autocast_as_ever() -> None:
    def half() -> Any:
        return torch.autocast("cpu", torch.bfloat16)

    net = network()
    with torch.no_grad(), half():
        expected = net.model(IMAGE)[1][INSIDE]
    found = probabilities(Network(net.model, CPU, half))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=2e-2)


def test_a_forward_of_its_own_counts_as_it_is() -> None:
    class Halved(Net):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.logits(image).softmax(1) / 2

    model = Halved().eval()
    with torch.no_grad():
        expected = model(IMAGE)[1][INSIDE]
    torch.testing.assert_close(probabilities(Network(model, CPU, nullcontext)), expected)


def test_a_network_that_is_no_model_of_ours() -> None:
    plain = torch.nn.Conv3d(1, 2, 1)
    with torch.no_grad():
        expected = plain(IMAGE)[1][INSIDE]
    net = Network(plain, CPU, nullcontext)
    torch.testing.assert_close(probabilities(net), expected)
    assert net.seek_head(channels=1, dims=3) is None


def test_one_that_uses_its_last_layer_otherwise_on_large_images() -> None:
    class Changing(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            said = super().logits(image)
            return said * 2 if image.shape[-1] == 4 else said

    model = Changing().eval()
    with torch.no_grad():
        expected = model(IMAGE)[1][INSIDE]
    net = Network(model, CPU, nullcontext)
    torch.testing.assert_close(probabilities(net), expected)
    assert net.seek_head(channels=1, dims=3) is None


def doubled(said: torch.Tensor) -> torch.Tensor:
    return said.mul_(2)


def masked(said: torch.Tensor) -> torch.Tensor:
    return said.masked_fill_(said > 0, -50)


def set_where(said: torch.Tensor) -> torch.Tensor:
    said[said > 0] = -50
    return said


def added(said: torch.Tensor) -> torch.Tensor:
    said += torch.ones(said.shape)
    return said


def rectified(said: torch.Tensor) -> torch.Tensor:
    return torch.relu_(said)


def clamped_where_large(said: torch.Tensor) -> torch.Tensor:
    """Looks at the values, and returns them as they are or not."""
    return said.clamp(max=0.1) if said.max() > 0.1 else said


def refused(said: torch.Tensor) -> torch.Tensor:
    if said.is_meta:
        raise ValueError("found no values")
    return said


@pytest.mark.parametrize("only_large", [False, True])
@pytest.mark.parametrize("end", [doubled, masked, set_where, added, rectified, clamped_where_large, refused])
def test_one_that_changes_its_last_layers_output_is_run_whole(
    end: Callable[[torch.Tensor], torch.Tensor], only_large: bool
) -> None:
    """With ``only_large`` it does not on the small image that the last layer is looked for on."""

    class Ending(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            said = super().logits(image)
            return said if only_large and image.shape[-1] != 4 else end(said)

    torch.manual_seed(0)
    model = Ending().eval()
    with torch.no_grad():
        expected = model(IMAGE)[1][INSIDE]
    net = Network(model, CPU, nullcontext)
    torch.testing.assert_close(probabilities(net), expected)
    assert net.seek_head(channels=1, dims=3) is None


def test_too_little_memory_up_to_the_last_layer_is_told() -> None:
    class Large(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            if image.shape[-1] == 4:
                raise torch.OutOfMemoryError("out of memory")
            return super().logits(image)

    net = Network(Large().eval(), CPU, nullcontext)
    with pytest.raises(torch.OutOfMemoryError):
        net(IMAGE)
    assert net.seek_head(channels=1, dims=3) is not None


def test_memory_is_used_again() -> None:
    net = network()
    said = net(IMAGE)
    first: Callable[[], int] = net.probabilities(said, 0, place=PLACE).data_ptr
    assert first() == net.probabilities(said, 1, place=PLACE).data_ptr()
    assert net(IMAGE).channels == 5
