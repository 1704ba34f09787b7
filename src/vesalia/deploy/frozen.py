"""v3's frozen graphs: the TorchScript program under the names that old scripts copy, move and configure."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.deploy.base import Deployment, Format
from vesalia.deploy.triton import triton_config
from vesalia.runtime.files import write_bytes, write_text

__all__ = ["Frozen", "FrozenTriton"]


class Frozen(Format):
    """Writes ``<name>.fzn.pb`` and ``<name>.trt.pb``, equal byte for byte."""

    name = "frozen"
    purpose = "the program under v3's names, .fzn.pb and .trt.pb"

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the program under both names."""
        paths = tuple(deployment.folder / f"{deployment.name}{ending}" for ending in (".fzn.pb", ".trt.pb"))
        for path in paths:
            write_bytes(path, deployment.program.content)
        return paths


class FrozenTriton(Format):
    """Writes v3's names with ``config.pbtxt`` beside them, ready to be moved into a Triton folder by an old script."""

    name = "frozen-triton"
    purpose = "v3's names and config.pbtxt beside them"

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the program under both names, and the server's configuration, which names ``<name>.trt.pb``."""
        paths = Frozen().write(deployment)
        config = deployment.folder / "config.pbtxt"
        write_text(config, triton_config(deployment, file=paths[1].name))
        return (*paths, config)
