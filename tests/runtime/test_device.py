"""Which device a name stands for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.runtime.device import choose_device


@pytest.fixture
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def _two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("_no_gpu")
@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_without_a_gpu(name: str) -> None:
    assert choose_device(name) == torch.device("cpu")


@pytest.mark.usefixtures("_two_gpus")
@pytest.mark.parametrize(
    ("name", "device"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_with_gpus(name: str, device: str) -> None:
    assert choose_device(name) == torch.device(device)


@pytest.mark.usefixtures("_no_gpu")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--device: found '{name}', expected a device that this machine has; write"):
        choose_device(name)


@pytest.mark.usefixtures("_two_gpus")
def test_a_gpu_beyond_the_last() -> None:
    with pytest.raises(ConfigError, match="found 'cuda:2', expected a device that this machine has"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:x", "cuda:-1", "xpu", "CPU"])
def test_a_name_that_is_no_device(name: str) -> None:
    with pytest.raises(ConfigError, match="expected one of auto, cpu, cuda, mps; write auto"):
        choose_device(name)
