"""The table of formats, and names given to it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.deploy.formats import FORMATS, formats_named
from vesalia.errors import ConfigError


def test_each_has_its_name_and_purpose() -> None:
    assert all(kind.name == name and kind.purpose for name, kind in FORMATS.items())


@pytest.mark.parametrize("names", [["triton", "torchscript"], ["triton,torchscript"], ["triton torchscript", "triton"]])
def test_several_each_once(names: list[str]) -> None:
    assert [made.name for made in formats_named(names)] == ["triton", "torchscript"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["torchscrpt"], r"found 'torchscrpt', expected one of torchscript, .*; write --to torchscript \(did you mean"),
        (["coffee"], "found 'coffee', .*; write --to torchscript$"),
        ([], "found ''"),
        ([" ,"], "found ''"),
    ],
)
def test_others_are_refused(names: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        formats_named(names)
