"""The interface of model loaders: a prefix, from the archive's root."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.components.model_loaders.base import ModelLoader


def test_a_loader_says_where() -> None:
    class Here(ModelLoader):
        def weights(self, root: Path) -> Path:
            return root / "model"

    assert Here().weights(Path("archive")) == Path("archive/model")
    with pytest.raises(TypeError):
        ModelLoader()  # type: ignore[abstract]
