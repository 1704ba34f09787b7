"""The table of components is true: each line leads to a file with that class, and its constructor can be read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from vesalia.registry.catalog import BASES, CATALOG, INJECTED
from vesalia.registry.kinds import Mismatch, coerce
from vesalia.registry.registry import base_of, find, load
from vesalia.registry.signature import read_signature

LINES = [(slot, name) for slot, names in CATALOG.items() for name in names]


@pytest.mark.parametrize(("slot", "name"), LINES)
def test_line_leads_to_a_class_whose_constructor_is_a_schema(slot: str, name: str) -> None:
    target = find(slot, name)
    assert target is not None
    assert target.qualname == name
    signature = read_signature(target)
    assert not signature.is_open, "a component names all its arguments"
    assert signature.doc
    for parameter in signature.parameters.values():
        assert parameter.annotation != "Any", f"{name}: {parameter.name} has an annotation that kinds does not know"
        if not parameter.required and signature.defaults[parameter.name] is not None:
            default = json.loads(json.dumps(signature.defaults[parameter.name]))
            assert not isinstance(coerce(default, parameter.annotation), Mismatch), f"{name}: {parameter.name}"


@pytest.mark.parametrize(("slot", "name"), LINES)
def test_what_ships_derives_from_the_base_of_its_slot(slot: str, name: str) -> None:
    target = find(slot, name)
    assert target is not None
    assert issubclass(load(target), load(base_of(slot)))


def test_every_slot_has_a_base() -> None:
    assert BASES.keys() == CATALOG.keys()


def test_names_are_unique_over_the_slots() -> None:
    names = [name for slot, name in LINES if slot != "batch_transform"]
    assert len(names) == len(set(names))


def test_injected_parameters_belong_to_slots() -> None:
    assert set(INJECTED) <= set(CATALOG)
