"""Names with other prefixes find their tensors."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.inference.renaming import align_names

SHAPES = {"stem.weight": (4, 1), "stem.bias": (4,), "head.weight": (2, 4), "head.bias": (2,)}


def tensors(prefix: str = "", **changes: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Tensors of these names, behind a prefix."""
    return {prefix + name: torch.zeros(changes.get(name, shape)) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("theirs", ["", "module.", "model.", "module.model.", "_orig_mod.", "anything.at.all."])
@pytest.mark.parametrize("ours", ["", "network."])
def test_any_prefix_that_most_names_share(theirs: str, ours: str) -> None:
    named = align_names(tensors(ours), tensors(theirs))
    assert named == {theirs + name: ours + name for name in SHAPES}


def test_a_part_of_the_network_may_be_all_there_is() -> None:
    ours = {**tensors("network."), "autoencoder.weight": torch.zeros(3)}
    assert align_names(ours, tensors("module."))["module.head.bias"] == "network.head.bias"


def test_what_is_called_alike_stays() -> None:
    found = {**tensors(), "extra.weight": torch.zeros(1)}
    assert align_names(tensors(), found) == {name: name for name in found}


def test_names_count_where_no_shape_fits() -> None:
    theirs = {name: torch.zeros(9, 9, 9) for name in tensors("module.")}
    assert align_names(tensors(), theirs)["module.stem.bias"] == "stem.bias"


def test_nothing_in_common_and_nothing_at_all() -> None:
    assert align_names(tensors(), {"other": torch.zeros(1)}) == {"other": "other"}
    assert align_names(tensors(), {}) == {}
