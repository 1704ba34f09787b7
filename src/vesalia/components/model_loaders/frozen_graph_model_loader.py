"""v3's FrozenGraphModelLoader: weights by the name of an exported model."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vesalia.components.model_loaders.base import ModelLoader

__all__ = ["FrozenGraphModelLoader"]

_SUFFIXES = (".trt.pb", ".fzn.pb", ".pb", ".ts", ".safetensors")


class FrozenGraphModelLoader(ModelLoader):
    """Finds ``model`` where v3 had ``model.trt.pb`` or ``model.fzn.pb``.

    What `vesalia export` writes under these names is for other software. Evaluation reads the weights that the export
    was made from, which lie beside it.

    Args:
        model_file_path: The exported file that v3 read.
        input_node_names: Without effect: there is no graph to name nodes of.
        output_node_names: Without effect, as ``input_node_names``.
        infer_in_training_mode: Without effect: inference is never in training mode.
    """

    def __init__(
        self,
        model_file_path: str,
        *,
        input_node_names: Sequence[str] | None = None,
        output_node_names: Sequence[str] | None = None,
        infer_in_training_mode: bool = False,
    ) -> None:
        self.model_file_path = model_file_path
        self.input_node_names = input_node_names
        self.output_node_names = output_node_names
        self.infer_in_training_mode = infer_in_training_mode

    def weights(self, root: Path) -> Path:
        """``models/model`` for ``models/model.trt.pb``."""
        path = root / self.model_file_path
        suffix = next((suffix for suffix in _SUFFIXES if path.name.endswith(suffix)), "")
        return path.with_name(path.name.removesuffix(suffix))
