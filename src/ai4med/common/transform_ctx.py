"""What a transform reads from and writes to."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from ai4med.common.medical_image import MedicalImage

__all__ = ["TransformContext"]


class TransformContext(MutableMapping[str, Any]):
    """The fields of one subject: file names until a loader has read them, images from then on, labels as arrays.

    Args:
        elements: The fields to begin with; the context keeps them in this very object.
    """

    def __init__(self, elements: MutableMapping[str, Any] | None = None) -> None:
        self._elements = {} if elements is None else elements

    def __getitem__(self, field: str) -> Any:
        if field not in self._elements:
            has = ", ".join(self._elements) or "none"
            message = f"context: found no field {field!r}, expected one of: {has}; write one of them"
            raise KeyError(message)
        return self._elements[field]

    def __setitem__(self, field: str, value: object) -> None:
        self._elements[field] = value

    def __delitem__(self, field: str) -> None:
        del self._elements[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    def get_image(self, field: str) -> MedicalImage:
        """The image in ``field``.

        Raises:
            KeyError: There is no such field.
            TypeError: It holds no image (yet).
        """
        found = self[field]
        if not isinstance(found, MedicalImage):
            message = f"context: found {found!r:.100} in field {field!r}, expected an image; load the field first"
            raise TypeError(message)
        return found

    def set_image(self, field: str, image: MedicalImage) -> None:
        """Put an image into ``field``."""
        self[field] = image
