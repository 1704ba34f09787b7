"""Predictions window by window: what torch gives with the same network, whatever comes after it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import as_arrays, placed
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.deploy.runner.inferers import INFERERS
from vesalia.deploy.runner.prediction import Prediction, predict
from vesalia.deploy.runner.steps import STEPS, made
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.inference.predict import Predictor
from vesalia.registry.registry import find, load
from vesalia.runtime.seeds import generator
from vesalia.transforms.compose import Compose

CLASSES = 5


class Blurry(Model):
    """Probabilities that depend on the place in the window, so that averages matter."""

    size_divisor = 2

    def __init__(self) -> None:
        super().__init__(CLASSES, in_channels=1, final_activation="softmax")
        self.numbers = torch.nn.Parameter(torch.arange(CLASSES).float().view(1, -1, 1, 1, 1))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Nearest numbers, less sure towards one corner."""
        ramp = torch.linspace(0.5, 1, image.shape[-1])
        return -((image * CLASSES - self.numbers) ** 2) * ramp


def network(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        found: npt.NDArray[np.float32] = Blurry().eval()(torch.from_numpy(images)).numpy()
    return found


ARGMAX = {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}
MASKS: dict[str, Any] = {"name": "ThresholdValues", "args": {"fields": "model", "threshold": 0.3}}
BACK = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image"}}
COPY = {"name": "CopyProperties", "args": {"fields": "model", "from_field": "image"}}
LARGEST = {"name": "KeepLargestCC", "args": {"fields": "model"}}
NEAREST = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": True}}
CHAINS: list[list[dict[str, Any]]] = [
    [],
    [ARGMAX],
    [MASKS],
    [COPY, ARGMAX, LARGEST],
    [BACK, ARGMAX],
    [BACK, MASKS],
    [BACK],
    [ARGMAX, NEAREST],
    [NEAREST, ARGMAX],
]


def torch_side(sample: Sample, chain: list[dict[str, Any]], inferer: Any) -> Sample:
    steps = []
    for step in chain:
        target = find("transform", step["name"])
        assert target is not None
        steps.append(load(target)(**step["args"]))
    return Compose(steps)(Predictor.ready(Blurry(), inferer)(sample), generator(0, "post"))


@given(st.data())
def test_as_torch_has_it(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(3, 14)) for _ in range(3))
    file = tuple(data.draw(st.integers(3, 14)) for _ in range(3))
    affine = data.draw(placed(shape))
    same, oblique = data.draw(st.booleans()), data.draw(st.booleans())
    grid = Grid(shape, affine) if same else Grid(file, data.draw(placed(file, oblique=oblique)))
    values = torch.rand(1, *shape, generator=torch.Generator().manual_seed(data.draw(st.integers(0, 9))))
    sample = Sample({"image": Volume(values, affine, "first", source=Source((), grid))}, "case")
    args: dict[str, Any] = {
        "roi_size": [data.draw(st.integers(2, 9)) for _ in range(3)],
        "batch_size": data.draw(st.integers(1, 3)),
    }
    args |= {
        "overlap": data.draw(st.sampled_from([0.0, 0.25, 0.5])),
        "mode": data.draw(st.sampled_from(["constant", "gaussian"])),
    }
    chain = data.draw(st.sampled_from(CHAINS))
    wanted = torch_side(sample, chain, TFScanWindowInferer(**args))["model"]
    how = Prediction(network, INFERERS["TFScanWindowInferer"](**args), in_channels=1, size_divisor=2)
    steps = [made(STEPS, step, where="post") for step in chain]
    found = predict(as_arrays(sample), how, post=steps)["model"]
    assert found.data.dtype.name == str(wanted.data.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(found.placed, wanted.placed)
    if wanted.data.is_floating_point():
        np.testing.assert_allclose(found.data, wanted.data.numpy(), atol=1e-5)
    elif chain[-1] is not LARGEST:
        assert surest_difference(found.data, wanted, sample, chain, TFScanWindowInferer(**args)) < 1e-5
    elif equal_before(sample, how, chain, wanted_by=TFScanWindowInferer(**args)):  # a tie may be a whole piece
        np.testing.assert_array_equal(found.data, wanted.data.numpy())


def surest_difference(
    found: npt.NDArray[Any], wanted: Volume, sample: Sample, chain: list[dict[str, Any]], inferer: Any
) -> float:
    """How sure torch was where another label was found: its largest probability less the second, or the threshold."""
    undecided = [step for step in chain if step not in (ARGMAX, MASKS)]
    values = torch_side(sample, undecided, inferer)["model"].data
    if MASKS in chain:
        margin = (values - MASKS["args"]["threshold"]).abs().numpy()
    else:
        first, second = values.topk(2, dim=0).values
        margin = (first - second)[None].numpy()
    return float(margin[found != wanted.data.numpy()].max(initial=0.0))


def equal_before(sample: Sample, how: Prediction, chain: list[dict[str, Any]], *, wanted_by: Any) -> bool:
    """Whether both have the same labels before the last step."""
    steps = [made(STEPS, step, where="post") for step in chain[:-1]]
    found = predict(as_arrays(sample), how, post=steps)["model"].data
    return np.array_equal(found, torch_side(sample, chain[:-1], wanted_by)["model"].data.numpy())


@pytest.mark.parametrize("batch", [True, False])
def test_one_pass_over_the_whole(*, batch: bool) -> None:
    values = torch.rand(1, 5, 6, 7, generator=torch.Generator().manual_seed(1))
    sample = as_arrays(Sample({"image": Volume(values, np.eye(4), "first")}))
    how = Prediction(network, INFERERS["TFSimpleInferer"](), in_channels=1, size_divisor=2, at_once=2 if batch else 1)
    found = predict(sample, how, post=[])["model"]
    padded = np.pad(values.numpy()[None], [(0, 0), (0, 0), (0, 1), (0, 0), (0, 1)])
    np.testing.assert_allclose(found.data, network(padded)[0, :, :5, :, :7], atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    volume = Volume(torch.zeros(2, 4, 4, 4), np.eye(4), "first")
    how = Prediction(network, INFERERS["TFSimpleInferer"](), in_channels=1)
    with pytest.raises(DataError, match="found an image with 2 channels, expected 1"):
        predict(as_arrays(Sample({"image": volume})), how, post=[])
    alone = Prediction(lambda images: images, INFERERS["TFSimpleInferer"](), in_channels=2)
    one = Prediction(lambda images: images[:, :1], INFERERS["TFSimpleInferer"](), in_channels=2)
    argmax = made(STEPS, ARGMAX, where="post")
    assert predict(as_arrays(Sample({"image": volume})), alone, post=[argmax])["model"].data.shape == (1, 4, 4, 4)
    with pytest.raises(DataError, match="found 1 channel, expected a channel per class"):
        predict(as_arrays(Sample({"image": volume})), one, post=[argmax])


def test_without_a_place_there_is_no_way_back() -> None:
    volume = Volume(torch.rand(1, 4, 4, 4), None, "first")
    how = Prediction(network, INFERERS["TFSimpleInferer"](), in_channels=1, size_divisor=2)
    with pytest.raises(DataError, match="was not read from a file"):
        predict(as_arrays(Sample({"image": volume})), how, post=[made(STEPS, BACK, where="post")])
