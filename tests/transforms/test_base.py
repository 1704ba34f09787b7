"""The base of all transforms: field names, changing fields, and the batch they agree on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.testing.transforms import example_sample
from vesalia.transforms.base import NOTHING, Deterministic, change_fields, field_names, members_of


class Double(Deterministic):
    def transform(self, sample: Sample) -> Sample:
        return change_fields(sample, ["image"], change=lambda volume: volume.from_batch(volume.as_batch() * 2))


@pytest.mark.parametrize("fields", ["image,label", "image, label", ["image", "label"], ("image ", " label")])
def test_field_names(fields: str | list[str]) -> None:
    assert field_names(fields) == ("image", "label")


def test_one_field_name() -> None:
    assert field_names("image") == ("image",)


def test_a_deterministic_transform_draws_nothing_and_prepares_nothing() -> None:
    sample, generator = example_sample((4, 3)), torch.Generator().manual_seed(1)
    state = generator.get_state()
    assert Double().draw(sample, generator) is NOTHING
    assert torch.equal(Double()(sample, generator)["image"].data, sample["image"].data * 2)
    assert torch.equal(generator.get_state(), state)
    assert Double().prepare(sample) is sample
    assert Double.deterministic


def test_change_fields_shares_the_others() -> None:
    sample = example_sample((4, 3))
    changed = change_fields(sample, ["image"], change=lambda volume: volume.from_batch(volume.as_batch() + 1))
    assert changed["label"] is sample["label"]
    assert changed["image"] is not sample["image"]


def test_members_of() -> None:
    assert members_of(example_sample((4, 3)), ["image", "label"]) == (1, (4, 3))


def test_members_of_refuses_fields_that_do_not_belong_together() -> None:
    sample = example_sample((4, 3)).with_fields(label=example_sample((5, 3))["label"])
    with pytest.raises(DataError, match="found 'label' of shape"):
        members_of(sample, ["image", "label"])
