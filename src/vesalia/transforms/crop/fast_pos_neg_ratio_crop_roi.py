"""FastPosNegRatioCropROI: one crop around foreground or background, turned, scaled and bent on the way if wanted."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import torch

from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import Count, FieldName, NonNegative, Probability, SizeVoxels
from vesalia.transforms.base import Invertible, Transform
from vesalia.transforms.crop.centres import PosNegCentres
from vesalia.transforms.crop.warp import Warps, take_back, take_warped
from vesalia.transforms.crop.window import check_size, cut, cut_batch, put_back, single_shape
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import uniform
from vesalia.transforms.spatial.affine_sampling import mapped_affine
from vesalia.transforms.spatial.bends import Bends

__all__ = ["FastPosNegRatioCropROI"]

_POINTS = 5
"""Control points of the elastic deformation along each axis."""

_BEND = 0.25
"""Largest displacement as a share of the distance between control points: far from folding over."""


class FastPosNegRatioCropROI(Transform[Warps], Invertible[Warps], Fusible[Warps]):
    """Cuts one crop, centred on foreground with probability ``pos / (pos + neg)``.

    Rotation, scaling and deformation are drawn anew for every crop and done in the same reading of voxels as the crop:
    the image between voxels, the label by the nearest one.

    Args:
        size: Voxels of the crop. A volume that is smaller is padded with 0.
        image_field: The image.
        label_field: The label, cropped alike; its voxels above 0 are foreground.
        pos: Share of crops around foreground.
        neg: Share of crops around background.
        deform: Bend the crop elastically.
        rotation: Turn the crop around each axis.
        rotation_degree: Largest angle in degrees.
        scale: Enlarge or shrink.
        scale_factor: Largest relative change of size.
        fast_crop: Without effect: the search for centres is always the fast one.
        batch_size: Give a batch of this many crops; without it one crop without a batch axis.
    """

    def __init__(
        self,
        size: SizeVoxels,
        image_field: FieldName = "image",
        *,
        label_field: FieldName = "label",
        pos: NonNegative = 1.0,
        neg: NonNegative = 1.0,
        deform: bool = False,
        rotation: bool = False,
        rotation_degree: NonNegative = 20.0,
        scale: bool = False,
        scale_factor: Probability = 0.1,
        fast_crop: bool = True,
        batch_size: Count | None = None,
    ) -> None:
        self.size = check_size(size)
        self.fields = (image_field, label_field)
        self.image_field = image_field
        self.label_field = label_field
        self.modes: dict[str, Mode] = {image_field: "linear", label_field: "nearest"}
        self.centres = PosNegCentres(label_field, pos=pos, neg=neg)
        self.deform = deform
        self.rotation = rotation
        self.rotation_degree = rotation_degree
        self.scale = scale
        self.scale_factor = scale_factor
        self.fast_crop = fast_crop
        self.batch_size = batch_size

    def prepare(self, sample: Sample) -> Sample:
        """List the foreground voxels once."""
        return self.centres.prepare(sample)

    def draw(self, sample: Sample, generator: torch.Generator) -> Warps:
        """Choose where the crops lie and how they are warped."""
        dims = len(single_shape(sample, self.fields, size=self.size))
        count = self.batch_size or 1
        windows = self.centres.draw(sample, generator, count=count, size=self.size)
        angle = math.radians(self.rotation_degree) if self.rotation else 0.0
        factor = self.scale_factor if self.scale else 0.0
        angles = uniform((count, dims), generator, reach=angle)
        scales = 1 + uniform((count,), generator, reach=factor)
        bends = torch.zeros(count, dims, *[_POINTS] * dims)
        if self.deform:
            reach = torch.tensor([_BEND * length / (_POINTS - 1) for length in self.size])
            bends = uniform(tuple(bends.shape), generator, reach=1.0) * reach.view(1, -1, *[1] * dims)
        return Warps(windows.starts, angles, scales, bends)

    def apply(self, sample: Sample, parameters: Warps) -> Sample:
        """Cut the same windows out of image and label."""
        cropped = {name: self._cut(sample[name], parameters, mode) for name, mode in self.modes.items()}
        return sample.with_fields(**cropped)

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The label says where the foreground is."""
        return (self.label_field,)

    @property
    def resamples(self) -> bool:
        """Crops that are turned, scaled or deformed read between voxels."""
        return self._warps

    @property
    def is_bent(self) -> bool:
        """Crops that are deformed."""
        return self.deform

    def fuse(self, work: Work, parameters: Warps) -> None:
        """Cut the same windows out of image and label."""
        batched = self.batch_size is not None
        if self._warps:
            bends = Bends.over(self.size, parameters.bends) if self.deform else None
            work.move(self.modes, parameters, size=self.size, batched=batched, bends=bends)
        else:
            work.cut(self.fields, parameters.starts, size=self.size, batched=batched)

    def invert(self, sample: Sample, parameters: Warps, *, like: Sample) -> Sample:
        """Put the crops back, turned, scaled and bent back: bends to a small fraction of a voxel."""
        back = {name: self._put_back(sample[name], parameters, like[name], mode) for name, mode in self.modes.items()}
        return sample.with_fields(**back)

    @property
    def _warps(self) -> bool:
        return self.deform or self.rotation or self.scale

    def _cut(self, volume: Volume, warps: Warps, mode: Mode) -> Volume:
        if self._warps:
            return self._cut_warped(volume, warps, mode)
        if self.batch_size is None:
            return cut(volume, warps.starts[0].tolist(), size=self.size)
        return cut_batch(volume, warps.starts, size=self.size)

    def _cut_warped(self, volume: Volume, warps: Warps, mode: Mode) -> Volume:
        maps = warps.matrices(self.size, spacing_mm=volume.spacing_mm)
        crops = take_warped(volume.as_batch(), maps, bends=warps.bends, size=self.size, mode=mode)
        if self.batch_size is not None:
            return replace(volume, batched=True, affine=None).from_batch(crops)
        affine = None if volume.affine is None else mapped_affine(volume.affine, maps[0])  # bends are left out
        return volume.from_batch(crops, affine=affine)

    def _put_back(self, volume: Volume, warps: Warps, like: Volume, mode: Mode) -> Volume:
        if not self._warps:
            return put_back(volume, warps.starts, like=like, mode=mode)
        maps = warps.matrices(self.size, spacing_mm=like.spacing_mm)
        whole = take_back(volume.as_batch(), maps, bends=warps.bends, shape=like.spatial_shape, mode=mode)
        return replace(volume, batched=False, affine=like.affine).from_batch(whole)
