"""Vesalia: medical-image AI from one archive, on PyTorch.

The whole command line in Python::

    import vesalia

    archive = vesalia.Archive("examples/hippocampus")
    archive.check()
    archive.train(budget_s=300)
    archive.evaluate()
    archive.infer("image.nii.gz")

Importing this module loads neither torch nor anything else that is slow.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vesalia.api import Archive, CheckReport
    from vesalia.datatools.new_archive import new_archive
    from vesalia.datatools.synthetic import synthesize
    from vesalia.errors import (
        ArchiveError,
        CheckpointError,
        ConfigError,
        CustomCodeRefused,
        DataError,
        Fault,
        Interrupted,
        ResourceError,
        TrainingError,
        UserError,
        VesaliaError,
    )
    from vesalia.training.listener import Listener

_HOMES = {
    "Archive": "vesalia.api",
    "CheckReport": "vesalia.api",
    "new_archive": "vesalia.datatools.new_archive",
    "synthesize": "vesalia.datatools.synthetic",
    "Listener": "vesalia.training.listener",
} | dict.fromkeys(
    (
        "ArchiveError",
        "CheckpointError",
        "ConfigError",
        "CustomCodeRefused",
        "DataError",
        "Fault",
        "Interrupted",
        "ResourceError",
        "TrainingError",
        "UserError",
        "VesaliaError",
    ),
    "vesalia.errors",
)

__version__ = "0.1.0"
__all__ = [
    "Archive",
    "ArchiveError",
    "CheckReport",
    "CheckpointError",
    "ConfigError",
    "CustomCodeRefused",
    "DataError",
    "Fault",
    "Interrupted",
    "Listener",
    "ResourceError",
    "TrainingError",
    "UserError",
    "VesaliaError",
    "new_archive",
    "synthesize",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, the first time somebody asks for it."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module 'vesalia' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
