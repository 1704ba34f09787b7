"""Optional parts: imported where they are used, with the line that installs them when they are missing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from types import ModuleType

from vesalia.errors import MissingDependency

__all__ = ["require"]


def require(module: str, *, extra: str) -> ModuleType:
    """Import ``module``, which comes with the extra ``extra``.

    Raises:
        MissingDependency: It is not installed; the message holds the pip line.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = (
            f"{module}: found that it is not installed, expected the extra {extra!r}; "
            f"run: pip install 'vesalia[{extra}]'"
        )
        raise MissingDependency(message) from error
