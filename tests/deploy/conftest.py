"""A tiny network with its weights on disk, and the same about to be written."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.inference.tiny import save_unet
from vesalia.deploy.base import Deployment
from vesalia.deploy.program import make_program
from vesalia.inference.weights import load_weights

__all__: list[str] = []

Make = Callable[..., Deployment]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Where the weights of a small U-Net of three classes lie; sizes must be multiples of 4."""
    (tmp_path / "archive" / "config").mkdir(parents=True)
    save_unet(tmp_path / "archive", tmp_path / "models" / "model")
    return tmp_path / "models" / "model"


@pytest.fixture
def make(prefix: Path, tmp_path: Path) -> Make:
    """Gives the deployment of those weights into ``out``."""

    def deployment(*, serving_name: str = "balls", max_batch_size: int = 4, any_size: bool = True) -> Deployment:
        loaded = load_weights(prefix)
        return Deployment(
            loaded=loaded,
            program=make_program(loaded.model, (1, 8, 8, 8), card=loaded.card),
            folder=tmp_path / "out",
            name="model",
            input_name="NV_MODEL_INPUT",
            output_name="NV_MODEL_OUTPUT",
            serving_name=serving_name,
            any_size=any_size,
            max_batch_size=max_batch_size,
        )

    return deployment
