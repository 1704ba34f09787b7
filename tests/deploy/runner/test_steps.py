"""The table of steps: every one has the arguments of the component of its name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

import pytest

from vesalia.deploy.runner.steps import STEPS, made
from vesalia.errors import ConfigError
from vesalia.registry.registry import find, load


@pytest.mark.parametrize("name", STEPS)
def test_a_step_takes_what_its_component_takes(name: str) -> None:
    target = find("transform", name)
    assert target is not None
    component = inspect.signature(load(target)).parameters
    step = inspect.signature(STEPS[name]).parameters
    assert {key: one.default for key, one in step.items()} == {key: one.default for key, one in component.items()}


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ({"name": "Nothing", "args": {}}, r"pre\[0\]: found Nothing, expected one of Argmax"),
        ({"name": "LoadNifti", "args": {"field": "image"}}, r"pre\[0\]: found arguments of LoadNifti"),
    ],
)
def test_what_is_not_known_is_named(component: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(STEPS, component, where="pre[0]")
