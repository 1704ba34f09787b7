"""Which engine runs a network: what was asked for, else the fastest that there is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.deploy.runner.test_network import Falling
from vesalia.deploy.runner import engines, network
from vesalia.deploy.runner.engines import open_network
from vesalia.deploy.runner.openvino import has_openvino
from vesalia.errors import CheckpointError, ConfigError


@pytest.fixture(params=[True, False])
def installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether OpenVINO is."""
    if request.param and not has_openvino():
        pytest.skip("the extra openvino is not installed")
    monkeypatch.setattr(engines, "has_openvino", lambda: request.param)
    return bool(request.param)


class Starting(Falling):
    """An ONNX Runtime that can start a GPU."""

    @staticmethod
    def InferenceSession(*_: object, **__: object) -> SimpleNamespace:  # noqa: N802 - its name there
        given = SimpleNamespace(name="image", shape=["n", 1, "d", 16, "w"])
        return SimpleNamespace(get_providers=lambda: list(network.DEVICES.values()), get_inputs=lambda: [given])


def test_what_was_asked_for(network: Path) -> None:
    assert open_network(network, device="cpu").device == "cpu"
    if has_openvino():
        assert open_network(network, device="openvino").device == "openvino"


def test_the_fastest_there_is(network: Path, installed: bool) -> None:
    assert open_network(network).device == ("openvino" if installed else "cpu")
    with pytest.raises(CheckpointError, match="another network"):
        open_network(network, sha256="0" * 64)


def test_a_gpu_goes_before_if_it_can_be_started(
    network: Path, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = "vesalia.deploy.runner.network._runtime"
    monkeypatch.setattr(runtime, Starting)
    assert open_network(network).device == "cuda"
    monkeypatch.setattr(runtime, Falling)
    assert open_network(network).device == ("openvino" if installed else "cpu")


def test_one_that_cannot_be_imported_is_told_of_and_done_without(
    network: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Path) -> None:
        raise ConfigError("found no openvino that can be imported (libtbb.so.12)")

    monkeypatch.setattr(engines, "has_openvino", lambda: True)
    monkeypatch.setattr(engines, "OpenvinoNetwork", broken)
    assert open_network(network).device == "cpu"
    assert "going on with ONNX Runtime (found no openvino that can be imported (libtbb.so.12))" in caplog.text
