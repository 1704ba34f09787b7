"""Inferers as plans of windows: sizes that the network takes, one window or many."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

import pytest

from vesalia.deploy.runner.inferers import INFERERS, TFScanWindowInferer, TFSimpleInferer
from vesalia.errors import ConfigError
from vesalia.registry.registry import find, load


@pytest.mark.parametrize("name", INFERERS)
def test_an_inferer_takes_what_its_component_takes(name: str) -> None:
    target = find("inferer", name)
    assert target is not None
    wanted = {key: one.default for key, one in inspect.signature(load(target)).parameters.items()}
    found = {key: one.default for key, one in inspect.signature(INFERERS[name]).parameters.items()}
    assert wanted.items() <= found.items()


def test_windows_are_multiples_of_what_the_network_needs() -> None:
    plan = TFScanWindowInferer([5, 8], overlap=0.5).windows((20, 6), divisor=4)
    assert (plan.window, plan.starts) == ((8, 8), ((0, 4, 8, 12), (-1,)))


def test_a_single_pass_is_a_single_window() -> None:
    plan = TFSimpleInferer().windows((20, 6, 3), divisor=4)
    assert (plan.window, plan.starts) == ((20, 8, 4), ((0,), (-1,), (0,)))


def test_windows_have_the_axes_of_the_image() -> None:
    with pytest.raises(ConfigError, match=r"roi_size: found \[8, 8\] for an image of \[4, 4, 4\] voxels"):
        TFScanWindowInferer([8, 8]).windows((4, 4, 4), divisor=1)
