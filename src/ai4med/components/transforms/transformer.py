"""What a transform is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod

from ai4med.common.transform_ctx import TransformContext

__all__ = ["Transformer"]


class Transformer(ABC):
    """A step that a subject takes."""

    @abstractmethod
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Read from the context, write to it, give it back."""

    def is_deterministic(self) -> bool:
        """Whether the same input always gives the same result; if so, a cache may keep it."""
        return True
