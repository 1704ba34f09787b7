"""A transform of the fields it is told."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from ai4med.components.transforms.transformer import Transformer

__all__ = ["MultiFieldTransformer"]


class MultiFieldTransformer(Transformer):
    """A transform that does the same to one field or to several.

    Args:
        fields: One name, several with commas between them, or a list of names.

    Attributes:
        fields: The names as a list.
    """

    def __init__(self, fields: str | Sequence[str]) -> None:
        names = fields.split(",") if isinstance(fields, str) else fields
        self.fields = [name.strip() for name in names]
