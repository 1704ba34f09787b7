"""Masks of a label map: which voxels hold which values."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Volume
from vesalia.transforms.spatial.layouts import layout_for_channels

__all__ = ["brats_values", "different_names", "masks_as_channels", "value_masks"]


def different_names(names: Sequence[str], *, argument: str) -> tuple[str, ...]:
    """The names of new fields, none of them twice.

    Raises:
        ConfigError: There are none, or two are alike.
    """
    found = tuple(names)
    if not found or len(set(found)) != len(found):
        message = f"{argument}: found {list(found)}, expected one name per class, no two alike"
        raise ConfigError(f'{message}; write ["class0", "class1"]')
    return found


def brats_values(et_label: int) -> tuple[tuple[int, ...], ...]:
    """Label values of the three regions of BraTS that overlap: tumour core, whole tumour, enhancing tumour.

    Raises:
        ConfigError: ``et_label`` is the number of another tissue.
    """
    if et_label in {0, 1, 2}:
        message = f"et_label: found {et_label}, expected the number of enhancing tumour, 0 to 2 are other tissues"
        raise ConfigError(f"{message}; write et_label: 4 (BraTS 2012 to 2022) or 3 (BraTS 2023)")
    return (1, et_label), (1, 2, et_label), (et_label,)


def value_masks(volume: Volume, values: Sequence[Sequence[int]], *, field: str) -> list[torch.Tensor]:
    """A uint8 mask ``[B, 1, *spatial]`` for each group of label values.

    Raises:
        DataError: The volume has several channels, so that it is no label map.
    """
    batch = volume.as_batch()
    if batch.shape[1] != 1:
        message = f"found {field!r} with {batch.shape[1]} channels, expected a label map with one"
        raise DataError(f"{message}; put ArgmaxAcrossChannels before")
    none = torch.zeros_like(batch, dtype=torch.uint8)
    return [sum((batch == value for value in group if _fits(value, batch.dtype)), start=none) for group in values]


def masks_as_channels(volume: Volume, values: Sequence[Sequence[int]], *, field: str) -> Volume:
    """The masks of :func:`value_masks` as the channels of one volume; one without a channel axis gets it in front."""
    return layout_for_channels(volume).from_batch(torch.cat(value_masks(volume, values, field=field), dim=1))


def _fits(value: int, dtype: torch.dtype) -> bool:
    """Whether there is such a value; torch compares uint8 with 300 as with 44."""
    return torch.tensor(value).to(dtype).item() == value
