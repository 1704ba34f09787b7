"""Where crops are centred: on foreground or on background voxels, each as likely as the others of its kind."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.transforms.crop.window import Windows, around

__all__ = ["PosNegCentres"]


class PosNegCentres:
    """Chooses crop centres: with probability ``pos / (pos + neg)`` a voxel of label > 0, else one of label 0.

    The foreground voxels are listed once per item, in :meth:`prepare`, and kept with it. Background voxels are not
    listed: the k-th of them is found by its rank among the foreground. A label without foreground gives background
    centres, one without background foreground centres.

    Attributes:
        label_field: The field that says what is foreground.
        pos: Share of crops around foreground.
        neg: Share of crops around background.
    """

    def __init__(self, label_field: str, *, pos: float, neg: float) -> None:
        if min(pos, neg) < 0 or pos + neg <= 0:
            message = f"pos, neg: found {pos} and {neg}, expected two numbers of 0 or more, one of them above 0"
            raise ConfigError(f"{message}; write pos: 1, neg: 1")
        self.label_field = label_field
        self.pos = pos
        self.neg = neg

    def prepare(self, sample: Sample) -> Sample:
        """List the foreground, unless it is listed for this very label already."""
        if self._listed(sample) is not None:
            return sample
        label = sample[self.label_field].data
        found = {self._key: self._list(sample), f"{self._key} of": label}
        return replace(sample, prepared={**sample.prepared, **found})

    def draw(self, sample: Sample, generator: torch.Generator, *, count: int, size: Sequence[int]) -> Windows:
        """Windows of ``size`` around ``count`` centres."""
        shape = sample[self.label_field].spatial_shape
        listed = self._listed(sample)
        foreground = (self._list(sample) if listed is None else listed).numpy()
        throws = torch.rand(count, 2, generator=generator, dtype=torch.float64).tolist()
        starts = []
        for kind, place in throws:
            voxel = self._choose(foreground, math.prod(shape), kind, place)
            starts.append(around([int(i) for i in np.unravel_index(voxel, shape)], size, shape=shape))
        return Windows(torch.tensor(starts, dtype=torch.int64).view(count, len(shape)))

    @property
    def _key(self) -> str:
        return f"foreground of {self.label_field}"

    def _listed(self, sample: Sample) -> torch.Tensor | None:
        """The list made by :meth:`prepare`, if the label is still the tensor it was made of."""
        same = sample.prepared.get(f"{self._key} of") is sample[self.label_field].data
        return sample.prepared.get(self._key) if same else None

    def _list(self, sample: Sample) -> torch.Tensor:
        """Flat indices of voxels that are foreground in any channel, ascending."""
        channels = sample[self.label_field].as_batch()[0] > 0
        mask = (channels[0] if len(channels) == 1 else channels.any(dim=0)).cpu().numpy()
        indices = np.flatnonzero(mask)
        return torch.from_numpy(indices.astype(np.int32 if mask.size < 2**31 else np.int64))

    def _choose(self, foreground: np.ndarray, voxels: int, kind: float, place: float) -> int:
        background = voxels - len(foreground)
        positive = kind * (self.pos + self.neg) < self.pos
        if (positive and len(foreground)) or not background:
            return int(foreground[int(place * len(foreground))])
        rank = int(place * background)
        return rank + bisect_right(range(len(foreground)), rank, key=lambda i: int(foreground[i]) - i)
