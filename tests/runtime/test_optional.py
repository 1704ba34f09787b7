"""Optional parts say how they are installed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from vesalia.errors import MissingDependency
from vesalia.runtime.optional import require


def test_what_is_installed_is_given_back() -> None:
    assert require("json", extra="aiaa") is json


def test_what_is_missing_comes_with_the_line_that_installs_it() -> None:
    with pytest.raises(MissingDependency) as caught:
        require("no_such_module_here", extra="automl")
    assert str(caught.value) == (
        "no_such_module_here: found that it is not installed, expected the extra 'automl'; "
        "run: pip install 'vesalia[automl]'"
    )
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value.__cause__, ImportError)
