"""Programs: what comes out is what the network gives, at other sizes too; what cannot be traced is refused."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vesalia.components.models.segresnet import SegResnet
from vesalia.deploy.program import CARD_INSIDE, Program, make_program, untraced
from vesalia.errors import UserError
from vesalia.inference.weights import load_weights


def run(program: Program, images: torch.Tensor) -> torch.Tensor:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)
        found: torch.Tensor = torch.jit.load(io.BytesIO(program.content))(images)
    return found


@pytest.mark.parametrize("shape", [(1, 1, 8, 8, 8), (3, 1, 12, 8, 16)])
def test_it_gives_what_the_network_gives(prefix: Path, shape: tuple[int, ...]) -> None:
    loaded = load_weights(prefix)
    program = make_program(loaded.model, (1, 8, 8, 8), card=loaded.card)
    images = torch.randn(shape)
    with torch.no_grad():
        torch.testing.assert_close(run(program, images), loaded.model(images))
    assert (program.input_shape, program.output_shape) == ((1, 8, 8, 8), (3, 8, 8, 8))
    assert (program.free_sizes, program.free_batch) == (True, True)
    assert program.max_difference is not None
    assert program.max_difference < 1e-5


def test_the_card_travels_inside_without_folders(prefix: Path) -> None:
    loaded = load_weights(prefix)
    program = make_program(loaded.model, (1, 8, 8, 8), card=loaded.card)
    with zipfile.ZipFile(io.BytesIO(program.content)) as file:
        (name,) = [name for name in file.namelist() if name.endswith(CARD_INSIDE)]
        card = json.loads(file.read(name))
    assert card["class_names"] == list(loaded.class_names)
    assert card["sha256"] == loaded.sha256
    assert "config" not in card


def test_a_network_in_2d() -> None:
    model = SegResnet(2, blocks_down=(1, 1), blocks_up=(1,), init_filters=4, data_dims=2, in_channels=3).eval()
    program = make_program(model, (3, 8, 8), card={})
    assert program.output_shape == (2, 8, 8)
    assert run(program, torch.randn(1, 3, 10, 6)).shape == (1, 2, 10, 6)


class OneSize(nn.Module):
    """A classifier that knows images of 8 x 8 only."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(image.flatten(1))
        return found


class Baked(nn.Module):
    """Its Python code takes a number from the batch size and from the image's size."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * len(image) + float(image.shape[-1])


class ByValue(nn.Module):
    """Decides by values in the image."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        return image * self.calls


class Pair(nn.Module):
    """Gives no tensor."""

    def forward(self, image: torch.Tensor) -> Any:
        return {"seg": "none"}


class Jumpy(nn.Module):
    """Gives another shape each time, in Python."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return image.expand(self.calls, *image.shape[1:]) if len(image) == 1 else image


def test_a_network_of_one_size_is_told() -> None:
    program = make_program(OneSize().eval(), (1, 8, 8), card={})
    assert (program.free_sizes, program.free_batch) == (False, True)
    assert program.output_shape == (2,)


def test_what_tracing_froze_is_found_by_comparison() -> None:
    program = make_program(Baked().eval(), (1, 8, 8), card={})
    assert (program.free_sizes, program.free_batch) == (False, False)
    assert program.max_difference is not None
    assert program.max_difference < 1e-5  # of what holds


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (ByValue(), "found a program whose output is up to"),
        (Jumpy(), "found a program that fails"),
        (Pair(), "found a network that cannot be traced"),
    ],
)
def test_what_gives_something_else_is_refused(model: nn.Module, said: str) -> None:
    with pytest.raises(UserError, match=said):
        make_program(model.eval(), (1, 4, 4), card={})


def test_without_a_program_the_network_tells_what_it_takes() -> None:
    known = untraced(OneSize().eval(), (1, 8, 8))
    assert (known.content, known.max_difference, known.output_shape) == (b"", None, (2,))
    assert (known.free_sizes, known.free_batch) == (False, True)
    with pytest.raises(UserError, match="found a network that gives dict, expected one tensor"):
        untraced(Pair().eval(), (1, 8, 8))
