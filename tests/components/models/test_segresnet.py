"""SegResnet: the conformance suite in 2D and 3D, its groups, its faults."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.networks.nets.segresnet import SegResNet
from torch import nn

from tests.drawn import normal
from vesalia.components.models.base import Model, Trained
from vesalia.components.models.segresnet import SegResnet
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite


class TestSegResnet(ModelSuite):
    def make(self) -> SegResnet:
        return SegResnet(3, blocks_down=(1, 1, 1), blocks_up=(1, 1), init_filters=4)


class TestSegResnetIn2DWithBatchNorm(ModelSuite):
    dims = 2
    in_channels = 2

    def make(self) -> SegResnet:
        return SegResnet(
            3, blocks_down=(1, 1), blocks_up=(1,), init_filters=4, use_batch_norm=True, data_dims=2, in_channels=2
        )


class TestSegResnetWithoutNormalisation(ModelSuite):
    def make(self) -> SegResnet:
        return SegResnet(3, blocks_down=(1, 1), blocks_up=(1,), init_filters=4, use_group_norm=False)


@pytest.mark.parametrize(("filters", "expected"), [(2, {2, 4, 8}), (4, {4, 8}), (8, {8}), (6, {6, 8})])
def test_groups_are_clamped_level_by_level(filters: int, expected: set[int]) -> None:
    model = SegResnet(2, init_filters=filters)
    groups = {layer.num_groups for layer in model.modules() if isinstance(layer, nn.GroupNorm)}
    assert groups == expected


def test_is_monais_network_with_an_activation() -> None:
    torch.manual_seed(0)
    ours = SegResnet(2, blocks_down=(1, 2), blocks_up=(1,), init_filters=8)
    twin = SegResNet(init_filters=8, in_channels=1, out_channels=2, blocks_down=(1, 2), blocks_up=(1,))
    twin.load_state_dict(ours.network.state_dict())
    image = normal(1, 1, 8, 8, 8)
    torch.testing.assert_close(ours(image), twin(image).softmax(1))


class TestSegResnetWithAutoencoder(ModelSuite):
    dims = 2

    def make(self) -> SegResnet:
        return SegResnet(3, blocks_down=(1, 1), blocks_up=(1,), init_filters=2, use_vae=True, data_dims=2)

    def image(self, model: Model, *, batch: int = 2, multiples: tuple[int, ...] = (1, 2, 1)) -> torch.Tensor:
        # The autoencoder's part weighs the more, the fewer voxels there are.
        return super().image(model, batch=batch, multiples=tuple(16 * each for each in multiples))


def test_autoencoder_adds_to_the_loss_in_training_alone() -> None:
    model = SegResnet(2, blocks_down=(1, 1), blocks_up=(1,), init_filters=4, use_vae=True)
    image = normal(2, 1, 8, 8, 8)
    output = model(image)
    assert isinstance(output, Trained)
    torch.testing.assert_close(output.probabilities, model.eval()(image))
    output.own_loss.backward()
    moved = {name for name, weight in model.named_parameters() if weight.grad is not None}
    assert any(name.startswith("network.down_layers") for name in moved)
    assert not any(name.startswith("network.up_layers") for name in moved)


def test_autoencoder_leaves_the_networks_own_weights_as_they_are() -> None:
    torch.manual_seed(0)
    plain = SegResnet(2, init_filters=4)
    torch.manual_seed(0)
    both = SegResnet(2, init_filters=4, use_vae=True)
    for name, weight in plain.state_dict().items():
        assert torch.equal(both.state_dict()[name], weight)


def test_blocks_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="blocks_up: found 2 entries"):
        SegResnet(2, blocks_down=(1, 1, 1, 1), blocks_up=(1, 1))


def test_dropout_only_in_training() -> None:
    model = SegResnet(2, blocks_down=(1, 1), blocks_up=(1,), init_filters=4, dropout_prob=0.5)
    image = normal(1, 1, 8, 8, 8)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))


class TestSegResnetWithDeepSupervision(ModelSuite):
    dims = 2

    def make(self) -> SegResnet:
        return SegResnet(
            3, blocks_down=(1, 1, 1), blocks_up=(1, 1), init_filters=2, use_deep_supervision=True, data_dims=2
        )


def test_deep_supervision_judges_each_coarser_level_and_predicts_the_same() -> None:
    torch.manual_seed(0)
    model = SegResnet(2, use_deep_supervision=True, use_vae=True)
    image = normal(1, 1, 16, 16, 16)
    output = model.train()(image)
    assert isinstance(output, Trained)
    assert [tuple(each.shape) for each in output.deeper] == [(1, 2, 8, 8, 8), (1, 2, 4, 4, 4)]
    assert float(output.own_loss.detach()) > 0
    torch.testing.assert_close(output.probabilities, model.eval()(image))


def test_deep_supervision_needs_a_coarser_level() -> None:
    with pytest.raises(ConfigError, match="use_deep_supervision: found true with one entry"):
        SegResnet(2, blocks_down=(1, 1), blocks_up=(1,), use_deep_supervision=True)
