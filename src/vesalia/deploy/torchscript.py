"""TorchScript: one file that C++, Triton and ``torch.jit.load`` run without Vesalia."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.deploy.base import Deployment, Format
from vesalia.runtime.files import write_bytes

__all__ = ["TorchScript"]


class TorchScript(Format):
    """Writes ``<name>.ts``."""

    name = "torchscript"
    purpose = "a program for C++, Triton and torch.jit.load"

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the program."""
        path = deployment.folder / f"{deployment.name}.ts"
        write_bytes(path, deployment.program.content)
        return (path,)
