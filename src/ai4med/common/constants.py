"""The names of image properties and of data elements."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

__all__ = ["DataElementKey", "ImageProperty"]


class ImageProperty:
    """Keys of what an image knows of itself beside its values.

    Attributes:
        AFFINE: 4x4, voxel index to millimetres in RAS.
        SPACING: Edge lengths of a voxel in mm, in axis order.
        ORIGINAL_SHAPE: Shape of the file's array, before any transform.
        ORIGINAL_AFFINE: The file's affine, before any transform.
        FILENAME: The file, or a list of files where each is a channel.
    """

    AFFINE = "affine"
    SPACING = "spacing"
    ORIGINAL_SHAPE = "original_shape"
    ORIGINAL_AFFINE = "original_affine"
    FILENAME = "filename"


class DataElementKey:
    """Names of the fields that every context may have.

    Attributes:
        IMAGE: The image.
        LABEL: Its label.
    """

    IMAGE = "image"
    LABEL = "label"
