"""What a model loader is: it says where the weights of an evaluation are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

__all__ = ["ModelLoader"]


class ModelLoader(ABC):
    """Points at weights; they are read by whoever runs the evaluation."""

    @abstractmethod
    def weights(self, root: Path) -> Path:
        """The path of the weights without suffix: ``<prefix>.safetensors`` and ``<prefix>.json`` are the files.

        Args:
            root: The archive, which relative paths start from.
        """
