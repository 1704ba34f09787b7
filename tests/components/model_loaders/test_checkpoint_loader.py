"""CheckpointLoader: folder and name become the prefix of the weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.components.model_loaders.checkpoint_loader import CheckpointLoader


@pytest.mark.parametrize(
    ("folder", "prefix", "expected"),
    [
        ("models", "model.ckpt", "/archive/models/model"),
        ("models", "model_final.ckpt", "/archive/models/model_final"),
        ("/elsewhere", "best", "/elsewhere/best"),
    ],
)
def test_prefix(folder: str, prefix: str, expected: str) -> None:
    loader = CheckpointLoader(folder, checkpoint_file_prefix=prefix, input_node_names=["NV_MODEL_INPUT"])
    assert loader.weights(Path("/archive")) == Path(expected)


def test_default_is_the_best_model() -> None:
    assert CheckpointLoader("models").weights(Path("/archive")) == Path("/archive/models/model")
