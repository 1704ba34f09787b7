"""Classes of libraries: what a path may name, and what is left alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

import pytest

from vesalia.errors import ConfigError
from vesalia.registry import library
from vesalia.registry.library import construct, find_library, is_library, load_library, suggest_library


@pytest.mark.parametrize(
    ("path", "expected"),
    [("monai.networks.nets.UNet", True), ("torch.optim.AdamW", True), ("torchy.Net", False), ("", False)],
)
def test_libraries_are_known_by_their_first_name(path: str, expected: bool) -> None:
    assert is_library(path) is expected


@pytest.mark.parametrize(
    ("slot", "path", "address"),
    [
        ("model", "monai.networks.nets.UNet", "monai.networks.nets.UNet"),
        ("model", "monai.networks.nets.unet.UNet", "monai.networks.nets.unet.UNet"),
        ("loss", "torch.nn.CrossEntropyLoss", "torch.nn.modules.loss.CrossEntropyLoss"),
        ("optimizer", "torch.optim.AdamW", "torch.optim.AdamW"),
    ],
)
def test_a_path_leads_to_a_module(slot: str, path: str, address: str) -> None:
    target = find_library(slot, path)
    assert target is not None
    assert (target.path, target.origin) == (address, "builtin")
    assert target.file.is_file()


@pytest.mark.parametrize(
    ("slot", "path"),
    [
        ("transform", "monai.networks.nets.UNet"),
        ("loss", "monai.networks.nets.UNet"),
        ("model", "monai.networks.nets"),
        ("model", "monai.networks.nets._private.UNet"),
        ("model", "monai.networks.nets.no_such_module.UNet"),
        ("model", "monai.networks.nets..UNet"),
    ],
)
def test_other_paths_lead_nowhere(slot: str, path: str) -> None:
    assert find_library(slot, path) is None


def test_a_misspelt_class_has_a_near_one() -> None:
    assert suggest_library("model", "monai.networks.nets.UNett") == "monai.networks.nets.UNet"
    assert suggest_library("optimizer", "torch.optim.Adamw") == "torch.optim.AdamW"
    assert suggest_library("optimizer", "torch.optim.Zzzzzzz") is None
    assert suggest_library("transform", "monai.Zzz") is None


def test_a_library_that_is_not_there_suggests_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "LIBRARIES", {"model": {"monai.none": "monai.none"}})
    assert suggest_library("model", "monai.none.UNet") is None


def test_classes_are_loaded() -> None:
    assert load_library("optimizer", "torch.optim.AdamW").__name__ == "AdamW"


@pytest.mark.parametrize(
    "path",
    [
        "torch.optim.Nothing",
        "torch.optim.lr_scheduler",
        "torch.optim.optimizer.Any",
        "torch.optim.adam.Tensor",
        "torch.load",
    ],
)
def test_what_is_no_class_of_the_package_is_refused(path: str) -> None:
    with pytest.raises(ConfigError, match=r"path: found .*, expected a class of torch\.optim or monai\.optimizers"):
        load_library("optimizer", path)


def test_what_fetches_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="fetches or loads weights of others"):
        load_library("loss", "monai.losses.PerceptualLoss")


def test_what_a_constructor_refuses_is_told_with_its_name() -> None:
    assert construct(Fraction, {"numerator": 1, "denominator": 2}) == Fraction(1, 2)
    with pytest.raises(ValueError, match=r"^Fraction, ZeroDivisionError: ."):
        construct(Fraction, {"numerator": 1, "denominator": 0})
