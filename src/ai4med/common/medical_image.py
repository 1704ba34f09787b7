"""An array, what its axes are, and what is known about it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ai4med.common.shape_format import ShapeFormat

__all__ = ["MedicalImage"]


class MedicalImage:
    """An image.

    Args:
        data: The values.
        shape_format: What its axes are.
        properties: What is known about it, by the keys of :class:`ai4med.common.constants.ImageProperty` or any other.
    """

    def __init__(
        self,
        data: npt.ArrayLike,
        shape_format: ShapeFormat | str,
        *,
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        self._properties = dict(properties or {})
        self._format = ShapeFormat(shape_format)
        self.set_data(data, shape_format)

    def get_data(self) -> npt.NDArray[Any]:
        """The values; they are the caller's to change."""
        return self._data

    def set_data(self, data: npt.ArrayLike, shape_format: ShapeFormat | str | None = None) -> None:
        """Put other values in; the properties stay.

        Args:
            data: The values.
            shape_format: What their axes are; None for what they were.

        Raises:
            ValueError: The number of axes is not that of the format.
        """
        chosen = self._format if shape_format is None else ShapeFormat(shape_format)
        array = np.asarray(data)
        if array.ndim != chosen.get_number_of_dims():
            message = (
                f"image: found {array.ndim} axes ({array.shape}), expected {chosen.get_number_of_dims()} as the shape "
                f"format {chosen} says; write another shape format"
            )
            raise ValueError(message)
        self._data, self._format = array, chosen

    def new_image(self, data: npt.ArrayLike, shape_format: ShapeFormat | str | None = None) -> MedicalImage:
        """An image of other values with the same properties.

        Args:
            data: The values.
            shape_format: What their axes are; None for what they are here.
        """
        chosen = self._format if shape_format is None else shape_format
        return MedicalImage(data, chosen, properties=self._properties)

    def get_shape_format(self) -> ShapeFormat:
        """What the axes are."""
        return self._format

    def set_property(self, name: str, value: object) -> None:
        """Note something about the image."""
        self._properties[name] = value

    def get_property(self, name: str, default: object = None) -> Any:
        """What was noted under ``name``, or else ``default``."""
        return self._properties.get(name, default)
