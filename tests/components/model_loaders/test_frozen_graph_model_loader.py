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


def test_v3s_further_arguments_change_nothing() -> None:
    plain = FrozenGraphModelLoader("models/model.trt.pb")
    told = FrozenGraphModelLoader(
        "models/model.trt.pb", input_node_names=["NV_MODEL_INPUT"], output_node_names=["NV_MODEL_OUTPUT"]
    )
    assert told.weights(Path("/archive")) == plain.weights(Path("/archive"))
