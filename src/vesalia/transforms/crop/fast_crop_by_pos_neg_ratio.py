"""FastCropByPosNegRatio: the same crops as CropByPosNegRatio, under the name of v3's faster search."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio

__all__ = ["FastCropByPosNegRatio"]


class FastCropByPosNegRatio(CropByPosNegRatio):
    """Turns a volume into a batch of crops, each centred on foreground with probability ``pos / (pos + neg)``.

    v3 had two searches for centres; here both names use the one that is fast, so that both give the same crops.
    """
