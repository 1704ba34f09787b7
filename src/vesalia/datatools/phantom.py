"""A CT-like abdomen drawn from warped ellipsoids, so that its organs are known exactly.

Coordinates are in units of half the field of view (96 mm), in RAS: x to the right, y to the front, z to the head,
with the origin in the middle of the volume. Densities are in Hounsfield units (HU), near those of a
contrast-enhanced scan in the portal-venous phase. The patient is as small as an infant, so that few voxels suffice.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LABELS", "PhantomCase", "draw_case"]

LABELS: Mapping[int, str] = {0: "background", 1: "liver", 2: "spleen", 3: "kidneys"}

_HALF_FIELD_MM = 96.0
_Array = npt.NDArray[np.float32]
_Mask = npt.NDArray[np.bool_]
_Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class PhantomCase:
    """One drawn patient.

    Attributes:
        image: ``[x, y, z]`` densities in HU, int16.
        label: ``[x, y, z]`` numbers of :data:`LABELS`, uint8.
        affine: 4x4, voxel index to mm in RAS.
    """

    image: npt.NDArray[np.int16]
    label: npt.NDArray[np.uint8]
    affine: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Organ:
    """An organ before its patient is drawn: ellipsoids (centre, half-axes) and its density."""

    label: int
    parts: tuple[tuple[_Point, _Point], ...]
    density_hu: float
    density_spread_hu: float


_ORGANS = (
    _Organ(1, (((0.36, 0.06, 0.24), (0.40, 0.42, 0.42)), ((0.02, 0.24, 0.36), (0.36, 0.20, 0.20))), 105, 6),
    _Organ(2, (((-0.54, -0.16, 0.26), (0.22, 0.28, 0.34)),), 135, 6),
    _Organ(3, (((0.36, -0.27, -0.28), (0.20, 0.195, 0.31)),), 185, 8),
    _Organ(3, (((-0.36, -0.27, -0.22), (0.20, 0.195, 0.31)),), 185, 8),
)


class _Canvas:
    """The patient as drawn so far: coordinates bent by one smooth warp, densities, and labels."""

    def __init__(self, rng: np.random.Generator, *, shape: tuple[int, ...], affine: npt.NDArray[np.float64]) -> None:
        self.rng = rng
        axes = [np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in shape]
        scale = np.diag(affine)[:3] / _HALF_FIELD_MM
        straight = list(np.meshgrid(*(a * np.float32(s) for a, s in zip(axes, scale, strict=True)), indexing="ij"))
        body = np.float32(rng.uniform(0.94, 1.06))
        warp = [_waves(rng, straight, amplitude=0.025, frequency=3.0) for _ in range(3)]
        self.at = [(a + w) / body for a, w in zip(straight, warp, strict=True)]
        self.density: _Array = np.full(shape, -1000, dtype=np.float32)
        self.label: npt.NDArray[np.uint8] = np.zeros(shape, dtype=np.uint8)

    def ellipsoid(self, centre: _Point, axes: _Point, *, jitter: float = 0.03) -> _Mask:
        """Where an ellipsoid lies after its centre, size, turn and surface were varied a little."""
        moved = np.asarray(centre) + self.rng.normal(0, jitter, 3).clip(-2 * jitter, 2 * jitter)
        sized = np.asarray(axes) * np.exp(self.rng.normal(0, jitter * 2, 3).clip(-4 * jitter, 4 * jitter))
        turn = self.rng.normal(0, 4 * jitter)
        x, y, z = (a - np.float32(c) for a, c in zip(self.at, moved, strict=True))
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        x, y = cos * x - sin * y, sin * x + cos * y
        radius = sum((a / np.float32(s)) ** 2 for a, s in zip((x, y, z), sized, strict=True))
        bumps = _waves(self.rng, self.at, amplitude=4 * jitter, frequency=9.0) if jitter else 0
        return np.asarray(radius < 1 + bumps)

    def cylinder(self, centre: tuple[float, float], axes: tuple[float, float]) -> _Mask:
        """Where an upright elliptic cylinder lies."""
        x, y = (a - np.float32(c) for a, c in zip(self.at[:2], centre, strict=True))
        return np.asarray((x / np.float32(axes[0])) ** 2 + (y / np.float32(axes[1])) ** 2 < 1)

    def paint(self, mask: _Mask, density_hu: float, *, texture_hu: float = 0.0) -> None:
        """Give a region its density."""
        value: _Array | float = density_hu
        if texture_hu:
            value = density_hu + _waves(self.rng, self.at, amplitude=texture_hu, frequency=12.0)[mask]
        self.density[mask] = value


def draw_case(rng: np.random.Generator, *, size: int) -> PhantomCase:
    """Draw one patient.

    Args:
        rng: Where all chance comes from.
        size: Voxels along x, give or take 5 %; y has as many, z three quarters.
    """
    shape = tuple(round(size * part * rng.uniform(0.95, 1.05)) for part in (1.0, 1.0, 0.75))
    affine = _affine(rng, shape=shape, spacing_mm=2 * _HALF_FIELD_MM / size)
    canvas = _Canvas(rng, shape=shape, affine=affine)
    cavity = _draw_trunk(canvas)
    _draw_contents(canvas, cavity)
    for organ in _ORGANS:
        _draw_organ(canvas, organ, cavity=cavity)
    return PhantomCase(_scanned(canvas), canvas.label, affine)


def _affine(rng: np.random.Generator, *, shape: tuple[int, ...], spacing_mm: float) -> npt.NDArray[np.float64]:
    """Voxels to mm: x stored left to right or right to left, edge lengths and origin varied."""
    spacing = np.round(spacing_mm * rng.uniform(0.9, 1.1, 3), 3)
    spacing[0] *= rng.choice([-1.0, 1.0])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.round(-spacing * (np.asarray(shape) - 1) / 2 + rng.uniform(-50, 50, 3), 2)
    return affine


def _waves(rng: np.random.Generator, at: list[_Array], *, amplitude: float, frequency: float) -> _Array:
    """A smooth random field of about ``amplitude``: three plane waves in random directions."""
    field = np.zeros_like(at[0])
    for _ in range(3):
        direction = rng.normal(0, 1, 3)
        direction *= frequency * rng.uniform(0.6, 1.0) / np.linalg.norm(direction)
        start = np.float32(rng.uniform(0, 2 * np.pi))
        phase = sum((a * np.float32(d) for a, d in zip(at, direction, strict=True)), start)
        field += np.float32(amplitude * rng.uniform(0.3, 0.7)) * np.sin(phase)
    return field


def _draw_trunk(canvas: _Canvas) -> _Mask:
    """Fat, muscle and the spine; gives back where the cavity is."""
    fat = canvas.rng.uniform(0.04, 0.09)
    canvas.paint(canvas.cylinder((0, 0), (0.90, 0.70)), -100, texture_hu=8)
    canvas.paint(canvas.cylinder((0, 0), (0.90 - fat, 0.70 - fat)), 55, texture_hu=8)
    cavity = canvas.cylinder((0, 0.02), (0.84 - fat, 0.62 - fat))
    canvas.paint(cavity, -85, texture_hu=15)
    spine = canvas.cylinder((0, -0.42), (0.15, 0.13))
    canvas.paint(canvas.cylinder((0, -0.42), (0.24, 0.17)), 60)
    discs = np.sin(canvas.at[2] * 22 + np.float32(canvas.rng.uniform(0, 6))) > 0.8
    canvas.paint(spine, canvas.rng.normal(260, 25), texture_hu=30)
    canvas.paint(spine & discs, 90)
    canvas.paint(canvas.cylinder((0, -0.58), (0.05, 0.04)), 35)
    return cavity & ~spine


def _draw_contents(canvas: _Canvas, cavity: _Mask) -> None:
    """What is not labelled: lungs, bowel with gas, stomach, gallbladder, aorta."""
    for side in (-0.44, 0.44):
        canvas.paint(cavity & canvas.ellipsoid((side, 0, 0.88), (0.40, 0.52, 0.42)), -820, texture_hu=40)
    for _ in range(7):
        x, y, z = canvas.rng.uniform((-0.45, 0.05, -0.7), (0.45, 0.35, -0.15))
        canvas.paint(cavity & canvas.ellipsoid((x, y, z), (0.16, 0.13, 0.16)), canvas.rng.normal(35, 10))
        if canvas.rng.random() < 0.5:
            canvas.paint(cavity & canvas.ellipsoid((x, y + 0.03, z), (0.08, 0.06, 0.08)), -700)
    canvas.paint(cavity & canvas.ellipsoid((-0.30, 0.24, 0.22), (0.24, 0.20, 0.26)), canvas.rng.normal(40, 10))
    canvas.paint(cavity & canvas.ellipsoid((-0.28, 0.34, 0.28), (0.11, 0.08, 0.12)), -750)
    canvas.paint(cavity & canvas.ellipsoid((0.26, 0.34, -0.12), (0.10, 0.09, 0.12)), canvas.rng.normal(12, 4))
    canvas.paint(canvas.cylinder((-0.05, -0.20), (0.06, 0.06)), canvas.rng.normal(150, 12))


def _draw_organ(canvas: _Canvas, organ: _Organ, *, cavity: _Mask) -> None:
    """An organ with its label; later organs lie in front of earlier ones."""
    mask = np.zeros(canvas.label.shape, dtype=bool)
    for centre, axes in organ.parts:
        mask |= canvas.ellipsoid(centre, axes)
    mask &= cavity
    canvas.paint(mask, canvas.rng.normal(organ.density_hu, organ.density_spread_hu), texture_hu=6)
    canvas.label[mask] = organ.label


def _scanned(canvas: _Canvas) -> npt.NDArray[np.int16]:
    """The densities as a scanner shows them: blurred over voxel borders, shaded a little, noisy."""
    rng = canvas.rng
    image = _blurred(canvas.density, side=rng.uniform(0.12, 0.2))
    image += _waves(rng, canvas.at, amplitude=6, frequency=1.5)
    noise_hu = rng.uniform(12, 20)
    image += noise_hu * rng.standard_normal(image.shape, dtype=np.float32)
    image += noise_hu * _blurred(rng.standard_normal(image.shape, dtype=np.float32), side=0.25)
    return np.asarray(np.rint(image.clip(-1024, 1500)), dtype=np.int16)


def _blurred(image: _Array, *, side: float) -> _Array:
    """Each voxel mixed with its neighbours along every axis, in the parts ``side : 1 - 2 side : side``."""
    for axis in range(3):
        padded = np.pad(image, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        n = image.shape[axis]
        before, here, after = (padded.take(np.arange(i, i + n), axis) for i in range(3))
        image = (np.float32(side) * (before + after) + np.float32(1 - 2 * side) * here).astype(np.float32)
    return image
