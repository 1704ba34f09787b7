"""CropForegroundObject: the box around what is labelled, scaled to one size."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.errors import ConfigError
from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName, SizeVoxels, Whole
from vesalia.transforms.base import Invertible, Transform, members_of
from vesalia.transforms.crop.window import check_axes, check_size
from vesalia.transforms.spatial.affine_sampling import read, read_back
from vesalia.transforms.spatial.resizing import per_axis

__all__ = ["Boxes", "CropForegroundObject", "foreground_boxes"]


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes in voxels.

    Attributes:
        low: ``[B, dims]`` the first voxel.
        high: ``[B, dims]`` the one after the last.
    """

    low: torch.Tensor
    high: torch.Tensor

    def matrices(self, size: Sequence[int]) -> torch.Tensor:
        """``[B, dims, dims + 1]`` in float64, from voxels of a result of ``size`` to voxels of the source."""
        factors = (self.high - self.low).double() / torch.tensor(list(size), dtype=torch.float64)
        offsets = self.low.double() + (factors - 1) / 2
        return torch.cat([torch.diag_embed(factors), offsets.unsqueeze(-1)], dim=-1)


class CropForegroundObject(Transform[Boxes], Invertible[Boxes]):
    """Cuts out the box around all foreground, with a margin, and scales it to ``size``.

    The image is read linearly, the label by the nearest voxel. Without any foreground the whole volume is taken.

    Args:
        size: Voxels of the result.
        image_field: The image.
        label_field: The label; its voxels above 0 are foreground.
        margin: Voxels around the foreground, one number per axis or one for all; the box stays inside the volume.
        pert: Up to so many voxels more, drawn anew for each side; 0 gives the same box each time, which can be cached.
        keep_classes: Leave the label's values as they are; without it whatever is above 0 becomes 1.
    """

    def __init__(
        self,
        size: SizeVoxels,
        image_field: FieldName = "image",
        *,
        label_field: FieldName = "label",
        margin: Whole | Sequence[Whole] = 0,
        pert: Whole = 0,
        keep_classes: bool = True,
    ) -> None:
        self.size = check_size(size)
        self.fields = (image_field, label_field)
        self.modes: dict[str, Mode] = {image_field: "linear", label_field: "nearest"}
        self.label_field = label_field
        self.margin = tuple(margin) if isinstance(margin, Sequence) else (margin,)
        self.pert = pert
        self.deterministic = not pert
        self.keep_classes = keep_classes
        self.changes_values: bool | None = not keep_classes
        if len(self.margin) not in {1, 2, 3} or min(*self.margin, pert) < 0:
            message = f"margin, pert: found {list(self.margin)} and {pert}, expected whole numbers of 0 or more"
            raise ConfigError(f"{message}; write margin: 10, pert: 0")

    def draw(self, sample: Sample, generator: torch.Generator) -> Boxes:
        """Find the boxes, and throw how much wider each side becomes."""
        members, shape = members_of(sample, self.fields)
        check_axes(shape, size=self.size)
        boxes = foreground_boxes((sample[self.label_field].as_batch() > 0).any(dim=1))
        wider = torch.tensor(per_axis(self.margin, len(shape), name="margin")).expand(2, members, -1)
        if self.pert:
            wider = wider + torch.randint(self.pert + 1, (2, members, len(shape)), generator=generator)
        return Boxes((boxes.low - wider[0]).clamp(min=0), (boxes.high + wider[1]).minimum(torch.tensor(shape)))

    def apply(self, sample: Sample, parameters: Boxes) -> Sample:
        """Cut and scale both fields."""
        maps = parameters.matrices(self.size)
        cut = {name: read(sample[name], maps, mode=mode, size=self.size) for name, mode in self.modes.items()}
        label = cut[self.label_field]
        if not self.keep_classes:
            cut[self.label_field] = label.from_batch((label.as_batch() > 0).to(label.data.dtype))
        return sample.with_fields(**cut)

    def invert(self, sample: Sample, parameters: Boxes, *, like: Sample) -> Sample:
        """Scale the box back to where it was, 0 around it."""
        maps = parameters.matrices(self.size)
        back = {name: read_back(sample[name], maps, mode=mode, like=like[name]) for name, mode in self.modes.items()}
        return sample.with_fields(**back)


def foreground_boxes(mask: torch.Tensor) -> Boxes:
    """The boxes around what is true in ``[B, *spatial]``; the whole of a member in which nothing is."""
    ends = []
    for axis, size in enumerate(mask.shape[1:], start=1):
        seen = mask.movedim(axis, 1).flatten(2).any(dim=2).int().cpu()
        there = seen.any(dim=1)
        low, behind = seen.argmax(dim=1), seen.flip(1).argmax(dim=1)
        ends.append((low * there, torch.where(there, size - behind, size)))
    return Boxes(*(torch.stack(each, dim=1) for each in zip(*ends, strict=True)))
