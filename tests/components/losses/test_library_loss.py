"""LibraryLoss and PlainLoss: values as the library gives them for logits, and the conformance suite."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import monai.losses
import pytest
import torch
from monai.losses.dice import DiceLoss
from torch import nn

from tests.drawn import normal
from vesalia.components.losses.library_loss import LibraryLoss, PlainLoss
from vesalia.errors import ConfigError, DataError
from vesalia.registry.target import Brought
from vesalia.testing.losses import LossSuite

LABEL = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 1]]).reshape(2, 1, 2, 2)


class TestDiceLoss(LossSuite):
    def make(self) -> LibraryLoss:
        return LibraryLoss("monai.losses.DiceLoss", arguments={"softmax": True, "to_onehot_y": True})


class TestCrossEntropyLoss(LossSuite):
    def make(self) -> LibraryLoss:
        return LibraryLoss("torch.nn.CrossEntropyLoss", arguments={"weight": [1.0, 1.0, 1.0]})


class TestPlainLoss(LossSuite):
    def make(self) -> PlainLoss:
        return plain(Weighted)

    def test_refuses_a_label_of_another_size(self) -> None:
        """A plain loss has its own words for it."""


class Weighted(nn.Module):
    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Buffer(torch.tensor(weight))

    def forward(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        chosen = probabilities.gather(1, target.long())
        result: torch.Tensor = -self.weight * chosen.clamp_min(1e-12).log().mean()
        return result


class Uncallable:
    pass


class Voxelwise:
    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> Any:
        return probabilities


def plain(made_of: type, **arguments: Any) -> PlainLoss:
    return PlainLoss(Brought(made_of, "mine", Path("mine.py")), **arguments)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("monai.losses.DiceLoss", {"softmax": True, "to_onehot_y": True}),
        ("monai.losses.DiceCELoss", {"softmax": True, "to_onehot_y": True}),
        ("monai.losses.FocalLoss", {"use_softmax": True, "to_onehot_y": True}),
        ("monai.losses.TverskyLoss", {"softmax": True, "to_onehot_y": True}),
    ],
)
def test_is_monais_loss_of_the_logits_behind_a_softmax(path: str, arguments: dict[str, Any]) -> None:
    logits = normal(2, 3, 2, 2)
    twin = getattr(monai.losses, path.rpartition(".")[2])(**arguments)
    found = LibraryLoss(path, arguments=arguments)(logits.softmax(1), LABEL)
    torch.testing.assert_close(found, twin(logits, LABEL), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [("monai.losses.DiceLoss", {"sigmoid": True}), ("monai.losses.FocalLoss", {}), ("torch.nn.BCEWithLogitsLoss", {})],
)
def test_is_the_librarys_loss_of_the_logits_behind_a_sigmoid(path: str, arguments: dict[str, Any]) -> None:
    logits, masks = normal(2, 3, 2, 2), torch.nn.functional.one_hot(LABEL[:, 0], 3).movedim(-1, 1)
    module = nn if path.startswith("torch") else monai.losses
    twin = getattr(module, path.rpartition(".")[2])(**arguments)
    for target in (LABEL, masks):
        found = LibraryLoss(path, arguments=arguments)(logits.sigmoid(), target)
        torch.testing.assert_close(found, twin(logits, masks.float()), atol=1e-6, rtol=1e-5)


def test_probabilities_are_given_as_they_are_where_a_class_wants_them() -> None:
    probabilities = normal(2, 3, 2, 2).softmax(1)
    masks = torch.nn.functional.one_hot(LABEL[:, 0], 3).movedim(-1, 1).float()
    found = LibraryLoss("monai.losses.DiceLoss")(probabilities, LABEL)
    torch.testing.assert_close(found, DiceLoss()(probabilities, masks))
    found = LibraryLoss("torch.nn.CrossEntropyLoss", takes="probabilities")(probabilities, LABEL)
    torch.testing.assert_close(found, nn.CrossEntropyLoss()(probabilities, LABEL[:, 0]))


def test_one_channel_is_a_sigmoids() -> None:
    logits, label = normal(2, 1, 2, 2), LABEL > 0
    found = LibraryLoss("torch.nn.BCELoss")(logits.sigmoid(), label)
    torch.testing.assert_close(found, nn.BCEWithLogitsLoss()(logits, label.float()))
    found = LibraryLoss("torch.nn.BCEWithLogitsLoss")(logits.sigmoid(), label)
    torch.testing.assert_close(found, nn.BCEWithLogitsLoss()(logits, label.float()), atol=1e-6, rtol=1e-5)


def test_weights_per_class_are_a_list() -> None:
    logits = normal(2, 3, 2, 2)
    found = LibraryLoss("torch.nn.CrossEntropyLoss", arguments={"weight": [1, 2, 3]})(logits.softmax(1), LABEL)
    twin = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))(logits, LABEL[:, 0])
    torch.testing.assert_close(found, twin, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("path", ["torch.nn.Linear", "monai.losses.Nothing", "monai.networks.nets.UNet", "os.system"])
def test_other_code_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a class of monai\.losses or torch\.nn"):
        LibraryLoss(path)


def test_what_is_no_loss_is_refused() -> None:
    with pytest.raises(ConfigError, match="which is no loss"):
        LibraryLoss("monai.losses.adversarial_loss.AdversarialCriterions")


def test_a_loss_per_voxel_is_refused_in_words() -> None:
    loss = LibraryLoss("torch.nn.CrossEntropyLoss", arguments={"reduction": "none"})
    with pytest.raises(ConfigError, match=r"loss: found a tensor of \[2, 2, 2\] from CrossEntropyLoss, expected one"):
        loss(normal(2, 3, 2, 2).softmax(1), LABEL)


def test_a_label_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match="label: found"):
        LibraryLoss("monai.losses.DiceLoss")(normal(2, 3, 2, 2).softmax(1), LABEL[:1])


def test_plain_losses_get_their_arguments() -> None:
    probabilities = normal(2, 3, 2, 2).softmax(1)
    torch.testing.assert_close(
        plain(Weighted, weight=2.0)(probabilities, LABEL), 2 * plain(Weighted)(probabilities, LABEL)
    )


def test_plain_losses_must_be_callable_and_give_a_number() -> None:
    with pytest.raises(ConfigError, match="Uncallable: found a class whose objects cannot be called"):
        plain(Uncallable)
    with pytest.raises(ConfigError, match="expected one number"):
        plain(Voxelwise)(normal(2, 3, 2, 2), LABEL)


def test_what_a_class_refuses_is_said_with_both_shapes() -> None:
    loss = LibraryLoss("monai.losses.DiceLoss", arguments={"weight": [1.0, 2.0]})
    with pytest.raises(ConfigError, match=r"loss: found a prediction of \[2, 3, 2, 2\] .* which DiceLoss refuses"):
        loss(normal(2, 3, 2, 2).softmax(1), LABEL)
