"""The names of MONAI's and PyTorch's classes, read from source."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.mmar.v4.library import address, known_names


def test_names_are_found_where_packages_offer_them() -> None:
    assert {"Spacingd", "RandCropByPosNegLabeld"} <= set(known_names("monai.transforms"))
    assert address("DiceLoss", ("monai.losses", "torch.nn")) == "monai.losses.DiceLoss"
    assert address("CrossEntropyLoss", ("monai.losses", "torch.nn")) == "torch.nn.CrossEntropyLoss"
    assert address("StepLR", ("torch.optim.lr_scheduler",)) == "torch.optim.lr_scheduler.StepLR"


def test_no_package_and_no_name() -> None:
    assert known_names("no_such_package.at_all") == ()
    assert address("Optional", ("torch.nn",)) is None
