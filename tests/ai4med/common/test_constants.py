"""The keys of properties and fields."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ai4med.common.constants import DataElementKey, ImageProperty


def test_fields_have_the_names_of_data_lists() -> None:
    assert (DataElementKey.IMAGE, DataElementKey.LABEL) == ("image", "label")


def test_the_affine_has_the_name_that_configs_copy_it_by() -> None:
    assert ImageProperty.AFFINE == "affine"


def test_every_property_has_a_key_of_its_own() -> None:
    keys = [value for name, value in vars(ImageProperty).items() if name.isupper()]
    assert len(set(keys)) == len(keys) == 5
