"""FrozenGraphModelLoader: the exported file's name becomes the prefix of the weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.components.model_loaders.frozen_graph_model_loader import FrozenGraphModelLoader


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("models/model.trt.pb", "/archive/models/model"),
        ("models/model.fzn.pb", "/archive/models/model"),
        ("models/v1.2/model", "/archive/models/v1.2/model"),
        ("/elsewhere/best.ts", "/elsewhere/best"),
    ],
)
def test_prefix(path: str, expected: str) -> None:
    assert FrozenGraphModelLoader(path).weights(Path("/archive")) == Path(expected)
