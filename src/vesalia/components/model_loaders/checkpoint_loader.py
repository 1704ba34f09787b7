"""v3's CheckpointLoader: weights by folder and name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vesalia.components.model_loaders.base import ModelLoader

__all__ = ["CheckpointLoader"]


class CheckpointLoader(ModelLoader):
    """Finds ``model`` where v3 had ``model.ckpt``.

    Args:
        checkpoint_dir: The folder.
        input_node_names: Without effect: there is no graph to name nodes of.
        output_node_names: Without effect, as ``input_node_names``.
        checkpoint_file_prefix: The name, with or without ``.ckpt``.
        infer_in_training_mode: Without effect: inference is never in training mode.
    """

    def __init__(
        self,
        checkpoint_dir: str,
        *,
        input_node_names: Sequence[str] | None = None,
        output_node_names: Sequence[str] | None = None,
        checkpoint_file_prefix: str = "model.ckpt",
        infer_in_training_mode: bool = False,
    ) -> None:
        self.checkpoint_dir = checkpoint_dir
        self.input_node_names = input_node_names
        self.output_node_names = output_node_names
        self.checkpoint_file_prefix = checkpoint_file_prefix
        self.infer_in_training_mode = infer_in_training_mode

    def weights(self, root: Path) -> Path:
        """``<checkpoint_dir>/model`` for ``model.ckpt``."""
        return root / self.checkpoint_dir / self.checkpoint_file_prefix.removesuffix(".ckpt")
