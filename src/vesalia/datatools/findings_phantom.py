"""Drawn radiographs with known findings: shapes on a noisy chest, for demonstrations and tests of classification."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["FINDINGS", "draw_radiograph"]

FINDINGS = ("nodule", "effusion", "catheter")
"""What may be seen in a radiograph, in the order of the label vector."""

_PREVALENCE = 0.35
_Plane = npt.NDArray[np.float64]


def draw_radiograph(rng: np.random.Generator, *, size: int) -> tuple[npt.NDArray[np.uint8], tuple[int, ...]]:
    """A picture ``[rows, columns]`` of ``size`` pixels each way, and 0 or 1 per finding, independent of each other.

    Two dark lungs beside a bright mediastinum, ribs and noise; brightness and contrast vary. A nodule is a bright disc
    in a lung, an effusion fills a lung from below, a catheter is a thin bright line from the top.
    """
    present = tuple(int(share < _PREVALENCE) for share in rng.random(len(FINDINGS)))
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    lungs = [_lung(rng, x, y, side=side) for side in (-1, 1)]
    picture = 150 - 60 * np.maximum(*lungs) + 8 * np.sin(9 * y + 2 * np.abs(x) + rng.uniform(0, 6))
    if present[0]:
        picture += 42 * _nodule(rng, x, y)
    if present[1]:
        level = rng.uniform(0.15, 0.35) + 0.03 * np.sin(8 * x)
        picture += 60 * lungs[rng.integers(2)] * _edge(y - level, sharpness=25)
    if present[2]:
        middle = rng.uniform(-0.35, 0.35) * (y + 1) / 2 + 0.1 * np.sin(2 * y + rng.uniform(0, 6))
        picture += 40 * np.exp(-(((x - middle) / 0.025) ** 2)) * (y < rng.uniform(-0.1, 0.4))
    picture = rng.uniform(0.85, 1.15) * (picture - 110) + 110 + rng.normal(0, 8)
    picture += rng.normal(0, 10, picture.shape)
    return np.rint(picture.clip(0, 255)).astype(np.uint8), present


def _lung(rng: np.random.Generator, x: _Plane, y: _Plane, *, side: int) -> _Plane:
    """How much of a pixel is lung, 0 to 1."""
    centre, width, height = side * rng.uniform(0.42, 0.48), rng.uniform(0.30, 0.36), rng.uniform(0.68, 0.76)
    away = np.sqrt(((x - centre) / width) ** 2 + ((y - 0.02) / height) ** 2)
    return _edge(1 - away, sharpness=15)


def _nodule(rng: np.random.Generator, x: _Plane, y: _Plane) -> _Plane:
    side, radius = rng.choice([-1, 1]), rng.uniform(0.09, 0.15)
    centre = side * rng.uniform(0.35, 0.55), rng.uniform(-0.4, 0.2)
    return _edge(radius - np.hypot(x - centre[0], y - centre[1]), sharpness=60)


def _edge(inside: _Plane, *, sharpness: float) -> _Plane:
    """1 where ``inside`` is above 0, 0 where below, a soft edge between."""
    return np.asarray(1 / (1 + np.exp(-(sharpness * inside).clip(-50, 50))))
