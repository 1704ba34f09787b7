"""ONNX: what ONNX Runtime gives is what the network gives, at other sizes too."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.deploy.conftest import Make
from tests.inference.tiny import make_archive
from vesalia.components.models.segahnet import PyramidPooling
from vesalia.deploy import onnx
from vesalia.deploy.onnx import Onnx, OnnxNetwork, described_for_runner
from vesalia.deploy.program import CARD_INSIDE, make_program
from vesalia.deploy.runner.network import sha256_of
from vesalia.deploy.runner.plan import read_plan
from vesalia.errors import ConfigError, UserError
from vesalia.mmar.validate import plan_evaluation


def session(path: Path) -> Any:
    return importlib.import_module("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.slow
def test_it_gives_the_same_at_any_size(make: Make) -> None:
    deployment = replace(make(), input_name="ct", output_name="organs")
    (path,) = OnnxNetwork().write(deployment)
    running = session(path)
    images = torch.randn(3, 1, 12, 8, 16)
    (found,) = running.run(["organs"], {"ct": images.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), deployment.loaded.model(images), rtol=1e-4, atol=1e-4)
    card = json.loads(running.get_modelmeta().custom_metadata_map[CARD_INSIDE])
    assert card["sha256"] == deployment.loaded.sha256
    assert path.parent.exists()
    assert [other.name for other in path.parent.iterdir()] == ["model.onnx"]


class Pyramid(nn.Module):
    """Windows of set sizes, some larger than the image, brought back to its size."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = PyramidPooling(1, dims=3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.pyramid(image)
        return found


@pytest.mark.slow
def test_a_pyramid_of_windows_keeps_its_sizes_free(make: Make) -> None:
    made, model = make(), Pyramid().eval()
    program = make_program(model, (1, 12, 12, 4), card={})
    assert program.free_sizes
    (path,) = OnnxNetwork().write(replace(made, loaded=replace(made.loaded, model=model), program=program))
    image = torch.randn(1, 1, 40, 70, 8)
    (found,) = session(path).run(None, {session(path).get_inputs()[0].name: image.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), model(image), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_sizes_that_cannot_be_put_off_are_settled_at_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the exporter does by itself fails for networks such as AH-Net."""
    plainly, given = torch.onnx.export, []

    def export(model: Any, *args: Any, **how: Any) -> Any:
        given.append(model)
        if isinstance(model, nn.Module):
            raise NotImplementedError("an inequality cannot be solved")
        return plainly(model, *args, **how)

    monkeypatch.setattr(torch.onnx, "export", export)
    (path,) = OnnxNetwork().write(make())
    assert len(given) == 2
    assert all(isinstance(size, str) for size in session(path).get_inputs()[0].shape[2:])


class OneSize(nn.Module):
    """A classifier that knows images of 4 x 4 only."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(image.flatten(1))
        return found


class Growing(nn.Module):
    """Gives something else each time it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = count(1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * next(self.calls)


class ByValue(nn.Module):
    """Asks an image's values which way to go, which no exported graph can."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image.sin() if bool(image.sum() > 0) else image.cos()


@pytest.mark.slow
def test_a_network_of_one_size_keeps_it(make: Make) -> None:
    made, model = make(), OneSize().eval()
    loaded = replace(made.loaded, model=model)
    (path,) = OnnxNetwork().write(replace(made, loaded=loaded, program=make_program(model, (1, 4, 4), card={})))
    batch, *fixed = session(path).get_inputs()[0].shape
    assert (isinstance(batch, str), fixed) == (True, [1, 4, 4])


@pytest.mark.slow
@pytest.mark.parametrize(("model", "said"), [(Growing(), "off, expected at most"), (ByValue(), "cannot be written as")])
def test_what_gives_something_else_is_refused(make: Make, model: nn.Module, said: str) -> None:
    made = make()
    program = make_program(nn.Identity(), (1, 4, 4), card={})
    with pytest.raises(UserError, match=said):
        OnnxNetwork().write(replace(made, loaded=replace(made.loaded, model=model.eval()), program=program))
    assert not list(made.folder.glob("*"))


@pytest.mark.slow
def test_the_plan_lies_beside_the_network(make: Make, prefix: Path) -> None:
    archive = make_archive(prefix.parent.parent / "with_config", prefix.parent / "dataset.json")
    deployment = replace(make(), plan=plan_evaluation(archive, listed=False))
    network, path = Onnx().write(deployment)
    assert [each.name for each in (network, path)] == ["model.onnx", "model.plan.json"]
    plan = read_plan(path)
    assert (plan.network, plan.sha256, plan.size_divisor) == (network, sha256_of(network), 4)
    assert plan.weights_sha256 == deployment.loaded.sha256


def test_without_a_config_there_is_no_plan(make: Make) -> None:
    with pytest.raises(ConfigError, match=r"found no evaluation config, .*--to onnx-network"):
        described_for_runner(make())


def test_networks_that_have_no_plan_are_refused(make: Make, prefix: Path) -> None:
    plan = plan_evaluation(
        make_archive(prefix.parent.parent / "with_config", prefix.parent / "dataset.json"), listed=False
    )
    made = replace(make(), plan=plan)
    with pytest.raises(UserError, match="found a network that classifies"):
        described_for_runner(replace(made, program=replace(made.program, output_shape=(3,))))
    rigid = replace(made.program, free_sizes=False, input_shape=(1, 24, 8, 8))
    with pytest.raises(UserError, match=r"found roi_size .* for a network that takes \[24, 8, 8\] only"):
        described_for_runner(replace(made, program=rigid))


@pytest.mark.parametrize("package", onnx._NEEDED)
def test_without_a_package_the_extra_is_named(make: Make, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"found no {package}, .*pip install 'vesalia\[onnx\]'"):
        OnnxNetwork().write(make())
