"""Unet: the conformance suite in 2D and 3D, its shape, its faults."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import normal
from vesalia.components.models.unet import Unet
from vesalia.errors import ConfigError
from vesalia.testing.models import ModelSuite


class TestUnet(ModelSuite):
    def make(self) -> Unet:
        return Unet(3, nf_enc=(4, 6), nf_dec=(6, 4, 4, 4, 4))


class TestUnetOfV3sDepth(ModelSuite):
    in_channels = 2

    def make(self) -> Unet:
        return Unet(3, nf_enc=(2, 2, 4, 4), nf_dec=(4, 4, 4, 4, 4, 2, 2), in_channels=2)


class TestUnetIn2DWithBatchNorm(ModelSuite):
    dims = 2

    def make(self) -> Unet:
        return Unet(3, nf_enc=(4, 6), nf_dec=(6, 4, 4, 4, 4), use_batch_norm=True, data_dims=2)


class TestUnetWithoutNormalisation(ModelSuite):
    def make(self) -> Unet:
        return Unet(3, nf_enc=(4,), nf_dec=(4, 4, 4, 4), use_group_norm=False)


@pytest.mark.parametrize("levels", [1, 2, 4, 5])
def test_layers_follow_the_widths(levels: int) -> None:
    nf_enc = [2 * level for level in range(1, levels + 1)]
    nf_dec = [3 * level for level in range(1, levels + 4)]
    model = Unet(2, nf_enc=nf_enc, nf_dec=nf_dec)
    assert model.size_divisor == 2**levels
    widths = [module.out_channels for module in model.modules() if isinstance(module, torch.nn.Conv3d)]
    assert widths == [*nf_enc, *nf_dec, 2]
    inputs = [module.in_channels for module in model.modules() if isinstance(module, torch.nn.Conv3d)]
    skips = nf_enc[-2::-1] if levels > 1 else []
    joined = [below + skip for below, skip in zip(nf_dec, skips, strict=False)]
    *_, extra, upper, last, full = [0, *nf_dec]
    assert inputs == [1, *nf_enc[:-1], nf_enc[-1], *joined, extra, upper + 1, last, full]


@pytest.mark.parametrize(("nf_enc", "nf_dec"), [((4, 4), (4, 4, 4, 4)), ((), (4, 4, 4)), ((4,), (4,) * 5)])
def test_widths_that_do_not_fit(nf_enc: tuple[int, ...], nf_dec: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"nf_dec: found .* write"):
        Unet(2, nf_enc=nf_enc, nf_dec=nf_dec)


def test_final_activation() -> None:
    image = normal(1, 1, 4, 4, 4)
    model = Unet(1, nf_enc=(2,), nf_dec=(2, 2, 2, 2), final_activation="sigmoid")
    torch.testing.assert_close(model(image), model.logits(image).sigmoid())


def test_dropout_only_in_training() -> None:
    model = Unet(2, nf_enc=(4,), nf_dec=(4, 4, 4, 4), dropout=0.5)
    image = normal(1, 1, 8, 8, 8)
    assert not torch.equal(model(image), model(image))
    model.eval()
    assert torch.equal(model(image), model(image))


def test_deepest_level_is_float32_under_autocast() -> None:
    model = Unet(2, nf_enc=(4, 4), nf_dec=(4,) * 5)
    seen: list[torch.dtype] = []
    model.bottom.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        model(normal(1, 1, 8, 12, 16))
        model(normal(1, 1, 16, 16, 16))
    assert seen == [torch.float32, torch.bfloat16]
