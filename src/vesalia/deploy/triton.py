"""A model folder for NVIDIA's Triton server: ``config.pbtxt`` and ``1/model.pt``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from vesalia.deploy.base import Deployment, Format
from vesalia.runtime.files import write_bytes, write_text

__all__ = ["TRITON_INPUT", "TRITON_OUTPUT", "Triton", "triton_config"]

TRITON_INPUT, TRITON_OUTPUT = "INPUT__0", "OUTPUT__0"
"""What Triton's PyTorch backend finds by place, as TorchScript has no names for outputs."""
_FREE = -1


class Triton(Format):
    """Writes ``triton/<serving name>/config.pbtxt`` and ``triton/<serving name>/1/model.pt``."""

    name = "triton"
    purpose = "a model folder for NVIDIA's Triton server"

    def write(self, deployment: Deployment) -> tuple[Path, ...]:
        """Write the folder; a server is pointed at ``triton``."""
        folder = deployment.folder / "triton" / deployment.serving_name
        program, config = folder / "1" / "model.pt", folder / "config.pbtxt"
        write_bytes(program, deployment.program.content)
        write_text(config, triton_config(deployment, file=program.name))
        return (config, program)


def triton_config(deployment: Deployment, *, file: str) -> str:
    """The text of ``config.pbtxt`` for the program in ``file``.

    Sizes are free (-1) where the program takes any, and none were asked for. Images of float32
    go in, probabilities come out.
    """
    program = deployment.program
    before, after = program.input_shape, program.output_shape
    if program.free_sizes and deployment.any_size:
        before = (before[0], *[_FREE] * (len(before) - 1))
        after = (after[0], *[_FREE] * (len(after) - 1))
    batch = deployment.max_batch_size if program.free_batch else 1
    return f"""\
name: {json.dumps(deployment.serving_name)}
platform: "pytorch_libtorch"
default_model_filename: {json.dumps(file)}
max_batch_size: {batch}
{_tensor("input", TRITON_INPUT, before)}
{_tensor("output", TRITON_OUTPUT, after)}
instance_group [
  {{
    count: 1
    kind: KIND_AUTO
  }}
]
"""


def _tensor(role: str, name: str, dims: Sequence[int]) -> str:
    return f"""\
{role} [
  {{
    name: "{name}"
    data_type: TYPE_FP32
    dims: {list(dims)}
  }}
]"""
