"""One subject through a network: same place in, same place out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.inference.tiny import EchoModel
from vesalia.components.inferers.base import Inferer
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.errors import DataError, ResourceError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.inference.predict import Predictor
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.transforms.spatial.restore_original_shape import RestoreOriginalShape

AFFINE = np.diag([-2.0, 1.0, 3.0, 1.0])


class Whole(Inferer):
    """One pass."""

    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        result: torch.Tensor = model(image)
        return result


class Failing(Inferer):
    """A device that gives up."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        raise self.error


class Given(Inferer):
    """The same answer to everything."""

    def __init__(self, answer: torch.Tensor) -> None:
        self.answer = answer

    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        return self.answer


def sample(channels: int = 1) -> Sample:
    data = torch.randint(0, 3, (channels, 4, 5, 6), generator=torch.Generator().manual_seed(0))
    source = Source((), Grid((4, 5, 6), AFFINE))
    return Sample({"image": Volume(data, AFFINE, "first", source=source)}, name="case")


def test_the_prediction_lies_where_the_image_lies() -> None:
    start = sample()
    predicted = Predictor.ready(EchoModel(), Whole())(start)["model"]
    assert predicted.data.shape == (3, 4, 5, 6)
    assert predicted.data.dtype == torch.float32
    assert predicted.channel == "first"
    assert predicted.source is start["image"].source
    assert predicted.grid.matches(start["image"].grid)
    assert torch.equal(predicted.data.argmax(0), start["image"].data[0])
    assert not predicted.data.is_inference()
    assert not predicted.data.requires_grad


def test_the_sample_itself_is_not_changed() -> None:
    start = sample()
    Predictor.ready(EchoModel(), Whole())(start)
    assert set(start.fields) == {"image"}


def test_batches_stay_batches() -> None:
    batch = Volume(torch.zeros(2, 1, 4, 4, 4), channel="first", batched=True)
    predicted = Predictor.ready(EchoModel(), Whole())(Sample({"image": batch}))["model"]
    assert predicted.batched
    assert predicted.data.shape == (2, 3, 4, 4, 4)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(DataError, match="case: found an image with 2 channels, expected 1"):
        Predictor.ready(EchoModel(), Whole())(sample(channels=2))


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory: you")]
)
def test_a_full_device_is_told_in_words(error: Exception) -> None:
    with pytest.raises(ResourceError, match="case: found too little memory on cpu"):
        Predictor.ready(EchoModel(), Failing(error))(sample())


def test_another_failure_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"^shapes differ$"):
        Predictor.ready(EchoModel(), Failing(RuntimeError("shapes differ")))(sample())


def test_nothing_is_copied_that_need_not_be() -> None:
    made = torch.zeros(1, 3, 4, 5, 6)
    predicted = Predictor.ready(EchoModel(), Given(made))(sample())["model"]
    assert predicted.data.data_ptr() == made.data_ptr()


def test_tensors_of_an_inference_mode_become_plain_ones() -> None:
    with torch.inference_mode():
        made = torch.ones(1, 3, 4, 5, 6)
    predicted = Predictor.ready(EchoModel(), Given(made))(sample())["model"]
    assert not predicted.data.is_inference()
    assert torch.equal(predicted.data, made[0])


def test_the_precision_is_around_the_network() -> None:
    log: list[str] = []

    @contextlib.contextmanager
    def context() -> Iterator[None]:
        log.append("in")
        yield
        log.append("out")

    class Logged(Whole):
        def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
            log.append("run")
            return super().__call__(image, model)

    Predictor.ready(EchoModel(), Logged(), precision=context)(sample())
    assert log == ["in", "run", "out"]


def test_ready_puts_the_model_into_eval_mode() -> None:
    model = EchoModel()
    assert model.training
    assert not Predictor.ready(model, Whole()).model.training


def test_kernels_lie_as_the_device_likes_them() -> None:
    def last(device: str) -> bool:
        model = torch.nn.Conv3d(2, 4, 3)
        weight = Predictor.ready(model, Whole(), device=torch.device(device)).model.weight
        assert isinstance(weight, torch.Tensor)
        return weight.is_contiguous(memory_format=torch.channels_last_3d)

    assert last("cpu")
    assert not last("meta")


CHAIN = StreamedChain(None, None, ())


def windowed(model: Model | None = None) -> Predictor:
    """All weights the same: where classes come out equal, rounding must not decide."""
    return Predictor.ready(model or EchoModel(), TFScanWindowInferer([4, 4, 4], batch_size=3, mode="constant"))


def test_windows_are_decided_as_they_come() -> None:
    start = sample()
    decided = windowed().decided(start, CHAIN)
    assert decided is not None
    model = decided["model"]
    assert torch.equal(model.data, start["image"].data.to(torch.uint8))
    assert (model.channel, model.source) == ("first", start["image"].source)
    assert model.grid.matches(start["image"].grid)


def test_masks_have_a_channel_per_class() -> None:
    decided = windowed().decided(sample(), StreamedChain(0.5, None, ()))
    assert decided is not None
    assert decided["model"].data.shape == (3, 4, 5, 6)


def test_the_grid_of_the_file_is_reached_on_the_way() -> None:
    file = Source((), Grid((8, 5, 6), AFFINE @ np.diag([0.5, 1.0, 1.0, 1.0])))
    start = sample()
    start = start.with_fields(image=replace(start["image"], source=file))
    decided = windowed().decided(start, StreamedChain(None, "image", ()))
    assert decided is not None
    assert decided["model"].grid.matches(file.grid)
    whole = windowed()(start)
    restored = RestoreOriginalShape("model", src_field="image").transform(whole)["model"]
    assert torch.equal(decided["model"].data[0], restored.data.argmax(0).to(torch.uint8))


class OneChannel(EchoModel):
    """Has nothing to choose from."""

    def __init__(self) -> None:
        super().__init__()
        self.num_classes = 1


def test_what_cannot_be_decided_by_windows_is_left_to_the_whole() -> None:
    batch = Sample({"image": Volume(torch.zeros(2, 1, 4, 4, 4), channel="first", batched=True)})
    assert windowed().decided(batch, CHAIN) is None
    assert Predictor.ready(EchoModel(), Whole()).decided(sample(), CHAIN) is None
    assert Predictor(EchoModel(), TFScanWindowInferer([4, 4, 4])).decided(sample(), CHAIN) is None
    assert windowed(OneChannel()).decided(sample(), CHAIN) is None


def test_decided_by_windows_faults_are_told_as_ever() -> None:
    class Full(EchoModel):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(DataError, match="case: found an image with 2 channels, expected 1"):
        windowed().decided(sample(channels=2), CHAIN)
    with pytest.raises(ResourceError, match="case: found too little memory on cpu"):
        windowed(Full()).decided(sample(), CHAIN)
