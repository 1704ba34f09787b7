"""Streaming: the averages of the inferer, batches that memory is too little for, devices that are full."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import weakref
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from monai.inferers.utils import sliding_window_inference

from tests.inference.streaming.nets import CPU, Kind, Net, network
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.inferers.simple import TFSimpleInferer
from vesalia.imaging.windows import Mode, WindowPlan
from vesalia.inference.streaming import limits, prediction
from vesalia.inference.streaming.network import Network
from vesalia.inference.streaming.prediction import Streaming, streams
from vesalia.inference.streaming.sinks import Averages
from vesalia.inference.streaming.tensors import TensorArrays


def averages(run: Streaming, image: torch.Tensor, classes: int = 5) -> torch.Tensor:
    sink = Averages(torch.full((classes, *image.shape[1:]), torch.nan))
    run.run(image, sink)
    result: torch.Tensor = sink.result
    return result


@pytest.mark.parametrize("mode", ["constant", "gaussian"])
@pytest.mark.parametrize("kind", ["pointwise", "narrow", "wide"])
@pytest.mark.parametrize("shape", [(19, 14, 23), (5, 30, 9), (21, 18)])
def test_as_monai_averages(shape: tuple[int, ...], kind: Kind, mode: Mode) -> None:
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    net, window = network(kind=kind, dims=len(shape)), (8, 12, 8)[: len(shape)]
    plan = WindowPlan.of(shape, window, overlap=0.3)
    found = averages(Streaming(net, plan, mode, batch_size=2, buffer_bytes=20_000), image)
    with torch.no_grad():
        expected = sliding_window_inference(image[None], window, 1, net.model, overlap=0.3, mode=mode)
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=1e-4)


def test_the_time_is_told() -> None:
    plan = WindowPlan.of((20, 20, 20), (8, 8, 8), overlap=0.25)
    run = Streaming(network(), plan, buffer_bytes=10_000)
    timing = run.run(torch.zeros(1, 20, 20, 20), Averages(torch.empty(5, 20, 20, 20)))
    assert 0 < timing.network_s < timing.total_s
    assert timing.written_bytes > 0


class Sparing(Net):
    """Does without its layers where there is nothing to see, as networks of one's own may."""

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Or zeros."""
        return super().logits(image) if image.max() > 0 else image.new_zeros(len(image), 5, *image.shape[2:])


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("mode", ["constant", "gaussian"])
def test_a_network_that_does_without_its_last_layer_for_some_windows(mode: Mode, first: bool) -> None:
    """What was kept of windows before is finished by that layer all the same."""
    model = Sparing(features=1).eval()
    image = torch.randn(1, 20, 14, 17, generator=torch.Generator().manual_seed(0))
    image[:, : 9 if first else 0] = -1
    image[:, 12:] = -1
    plan = WindowPlan.of((20, 14, 17), (8, 8, 8), overlap=0.5)
    found = averages(Streaming(Network(model, CPU, nullcontext), plan, mode), image)
    with torch.no_grad():
        expected = sliding_window_inference(image[None], (8, 8, 8), 1, model, overlap=0.5, mode=mode)
    assert isinstance(expected, torch.Tensor)
    torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=1e-4)


class Crowded(Net):
    """Takes one window at a time."""

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Or memory is too little."""
        if len(image) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return super().logits(image)


def test_windows_go_one_by_one_where_memory_is_too_little_for_more(caplog: pytest.LogCaptureFixture) -> None:
    net, image = network(), torch.randn(1, 20, 8, 8)
    plan = WindowPlan.of((20, 8, 8), (8, 8, 8), overlap=0.25)
    expected = averages(Streaming(net, plan), image)
    crowded = Crowded().eval()
    crowded.load_state_dict(net.model.state_dict())
    net.model = crowded
    run = Streaming(net, plan, batch_size=3)
    torch.testing.assert_close(averages(run, image), expected)
    assert net.limits.windows == 1
    assert caplog.text.count("too little memory for 3 windows") == 1


class Costly(Net):
    """Notes which passes over several windows failed, and whether what they had made is gone with the next pass."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[weakref.ref[torch.Tensor]] = []
        self.left: list[bool] = []

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Or memory is too little."""
        self.left += [made() is not None for made in self.made]
        if len(image) > 1:
            activations = self.first(image)
            self.made.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("out of memory")
        return super().logits(image)


def test_nothing_of_a_pass_that_failed_is_left_when_it_is_tried_again() -> None:
    model = Costly().eval()
    net, plan = Network(model, CPU, nullcontext), WindowPlan.of((20, 8, 8), (8, 8, 8), overlap=0.25)
    averages(Streaming(net, plan, batch_size=3), torch.randn(1, 20, 8, 8))
    assert len(model.made) == 1
    assert model.left
    assert not any(model.left)


def test_the_next_subject_does_not_run_out_of_memory_again(caplog: pytest.LogCaptureFixture) -> None:
    model = Costly().eval()
    net, plan = Network(model, CPU, nullcontext), WindowPlan.of((20, 8, 8), (8, 8, 8), overlap=0.25)
    for _ in range(3):
        averages(Streaming(net, plan, batch_size=3), torch.randn(1, 20, 8, 8))
    assert len(model.made) == 1
    assert caplog.text.count("too little memory") == 1


def test_another_error_stays_what_it_is() -> None:
    class Broken(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("shapes differ")

    net = network()
    net.model = Broken().eval()
    run = Streaming(net, WindowPlan.of((20, 8, 8), (8, 8, 8), overlap=0.25), batch_size=2)
    with pytest.raises(RuntimeError, match=r"^shapes differ$"):
        averages(run, torch.zeros(1, 20, 8, 8))


class Tight(TensorArrays):
    """An accelerator, pretended, that has room for some blocks."""

    left = 0

    @property
    def on_machine(self) -> bool:
        """It is elsewhere."""
        return False

    def empty(self, channels: int, shape: Any) -> torch.Tensor:
        """Or the device is full."""
        if Tight.left <= 0:
            raise torch.OutOfMemoryError("out of memory")
        Tight.left -= 1
        return super().empty(channels, shape)


@pytest.mark.parametrize(("kind", "room"), [("pointwise", 0), ("pointwise", 17), ("narrow", 0), ("narrow", 20)])
def test_what_waits_moves_to_the_machine_where_the_device_is_full(
    kind: Kind, room: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    image, plan = torch.randn(1, 20, 14, 17), WindowPlan.of((20, 14, 17), (8, 8, 8), overlap=0.25)
    expected = averages(Streaming(network(kind=kind), plan), image)
    made: list[str] = []

    def arrays(device: torch.device) -> TensorArrays:
        made.append(device.type)
        return Tight(device) if len(made) == 1 else TensorArrays(device)

    monkeypatch.setattr(prediction, "TensorArrays", arrays)
    monkeypatch.setattr(Tight, "left", room)
    net = network(kind=kind)
    torch.testing.assert_close(averages(Streaming(net, plan), image), expected)
    assert made == ["cpu", "cpu"]
    assert "going on in the machine's" in caplog.text
    assert net.limits.waiting_bytes == 4 * (plan.kept_voxels if kind == "narrow" else 5 * plan.open_voxels)


def test_sums_begin_in_the_machines_memory_where_the_device_has_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    net, plan = network(), WindowPlan.of((20, 14, 17), (8, 8, 8), overlap=0.25)
    said = net(torch.zeros(1, 1, 8, 8, 8))
    net.device = torch.device("meta")
    run = Streaming(net, plan)
    assert run.way(said).shelf.arrays.on_machine is False
    monkeypatch.setattr(limits, "free_bytes", lambda _: 100.0)
    assert run.way(said).shelf.arrays.on_machine is True


def test_features_begin_in_the_machines_memory_where_the_device_has_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    image, plan = torch.randn(1, 20, 14, 17), WindowPlan.of((20, 14, 17), (8, 8, 8), overlap=0.25)
    expected = averages(Streaming(network(kind="narrow"), plan), image)
    made: list[torch.device] = []

    def arrays(device: torch.device) -> TensorArrays:
        made.append(device)
        return TensorArrays(device)

    monkeypatch.setattr(prediction, "TensorArrays", arrays)
    monkeypatch.setattr(limits.Limits, "holds", lambda *_: False)
    torch.testing.assert_close(averages(Streaming(network(kind="narrow"), plan), image), expected)
    assert made == [prediction._CPU]


def test_an_inferer_of_another_kind_does_as_it_likes() -> None:
    class Custom(TFScanWindowInferer):
        def __call__(self, image: torch.Tensor, model: Any) -> torch.Tensor:
            return image

    assert streams(TFScanWindowInferer([8, 8, 8]))
    assert not streams(Custom([8, 8, 8]))
    assert not streams(TFSimpleInferer())
