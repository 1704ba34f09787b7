"""Every format, by the name that ``--to`` takes. To add one, write its file and add its line."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence

from vesalia.deploy.base import Format
from vesalia.deploy.bundle import Bundle
from vesalia.deploy.frozen import Frozen, FrozenTriton
from vesalia.deploy.onnx import Onnx, OnnxNetwork
from vesalia.deploy.torchscript import TorchScript
from vesalia.deploy.triton import Triton
from vesalia.errors import ConfigError
from vesalia.runtime.nearness import nearest

__all__ = ["FORMATS", "formats_named"]

FORMATS: Mapping[str, type[Format]] = {
    made.name: made for made in (TorchScript, Triton, Onnx, OnnxNetwork, Bundle, Frozen, FrozenTriton)
}


def formats_named(names: Sequence[str]) -> tuple[Format, ...]:
    """The formats, each once, in the order of ``names``.

    Raises:
        ConfigError: There are none, or a name is not one of a format.
    """
    wanted = [part for name in names for part in name.replace(",", " ").split()]
    for name in wanted or [""]:
        if name not in FORMATS:
            near = nearest(name, FORMATS)
            write = f"--to {near} (did you mean this?)" if near else "--to torchscript"
            raise ConfigError(f"--to: found {name!r}, expected one of {', '.join(FORMATS)}; write {write}")
    return tuple(FORMATS[name]() for name in dict.fromkeys(wanted))
