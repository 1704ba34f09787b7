"""Measuring a data set: grids, densities and classes, from which an archive's numbers are chosen."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.datatools.description import DatasetDescription, DatasetEntry
from vesalia.datatools.file_faults import faults_of
from vesalia.errors import DataError, Fault
from vesalia.imaging.geometry import Grid
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.nifti import read_volume
from vesalia.imaging.orientation import axis_codes, towards_canonical
from vesalia.runtime.machine import usable_cores

__all__ = ["DatasetFingerprint", "IntensityStatistics", "scan"]

_MOST_THREADS = 4
_VALUES_PER_CASE = 20_000


@dataclass(frozen=True, slots=True)
class IntensityStatistics:
    """How bright the labelled voxels of one channel are, over all cases."""

    low: float
    high: float
    mean: float
    std: float

    @classmethod
    def of(cls, values: npt.NDArray[np.float32]) -> IntensityStatistics:
        """The 0.5th and 99.5th percentile, mean and standard deviation; zeros and ones where nothing is labelled."""
        if not values.size:
            return cls(0.0, 1.0, 0.0, 1.0)
        low, high = np.percentile(values, (0.5, 99.5))
        return cls(float(low), float(high), float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64)))


@dataclass(frozen=True, slots=True)
class DatasetFingerprint:
    """What was measured on the training and validation cases.

    Attributes:
        cases: How many were read.
        channels: Channels per image.
        shapes: Voxels per axis of every case, in the order stored; nearest to R, A, S where that differs from case to
            case.
        spacings_mm: Edge lengths of a voxel of every case, in the same order.
        intensity: Per channel, over labelled voxels.
        label_voxels: Voxels by label value, over all cases.
        label_cases: Cases that hold a label value.
        disagreements: Cases whose image and label do not lie on one grid; they still count above.
        orientations: Where the stored axes point, each way that occurs once, such as ``("LPS", "RAS")``.
    """

    cases: int
    channels: int
    shapes: tuple[tuple[int, ...], ...]
    spacings_mm: tuple[tuple[float, ...], ...]
    intensity: tuple[IntensityStatistics, ...]
    label_voxels: Mapping[int, int]
    label_cases: Mapping[int, int]
    disagreements: tuple[Fault, ...] = ()
    orientations: tuple[str, ...] = ("RAS",)

    @property
    def is_mixed(self) -> bool:
        """Whether the axes do not point the same way in all cases, so that "the first axis" means nothing."""
        return len(self.orientations) > 1

    @property
    def median_spacing_mm(self) -> tuple[float, ...]:
        """The median edge length per axis."""
        return tuple(float(value) for value in np.median(np.asarray(self.spacings_mm), axis=0))

    def median_shape(self, target_spacing_mm: Sequence[float]) -> tuple[int, ...]:
        """The median of the shapes after resampling to ``target_spacing_mm``."""
        sizes = np.asarray(self.shapes) * np.asarray(self.spacings_mm) / np.asarray(target_spacing_mm)
        return tuple(max(1, round(float(value))) for value in np.median(sizes, axis=0))

    def to_dict(self) -> dict[str, Any]:
        """The fingerprint as plain data."""
        return {**asdict(self), "median_spacing_mm": self.median_spacing_mm}


@dataclass(frozen=True, slots=True)
class _Case:
    """What was measured on one case."""

    grid: Grid
    samples: tuple[npt.NDArray[np.float32], ...]
    label_voxels: Mapping[int, int] = field(default_factory=dict)
    disagreement: Fault | None = None


def scan(description: DatasetDescription, progress: Callable[[int, int], None] | None = None) -> DatasetFingerprint:
    """Read the training and validation cases once and measure them.

    Args:
        description: The data set.
        progress: Called after each case with (cases done, cases in all).

    Raises:
        DataError: Files are missing, cannot be read, or differ in their channels; all faults at once.
    """
    entries = [*description.training, *description.validation]
    cases: list[_Case] = []
    faults: list[Fault] = []
    with ThreadPoolExecutor(min(_MOST_THREADS, usable_cores()), "scan") as pool:
        for done, result in enumerate(pool.map(lambda entry: _measured(description.root, entry), entries), start=1):
            if isinstance(result, _Case):
                cases.append(result)
            else:
                faults += result
            if progress is not None:
                progress(done, len(entries))
    faults = faults or _channel_faults(description, cases)
    if faults:
        raise DataError(faults=faults)
    return _summed(cases)


def _measured(root: Path, entry: DatasetEntry) -> _Case | tuple[Fault, ...]:
    try:
        return _measure(root, entry)
    except DataError as error:
        return faults_of(error, root / entry.image[0])


def _measure(root: Path, entry: DatasetEntry) -> _Case:
    image = read_volume([root / name for name in entry.image])
    grid = image.grid
    if len(grid.shape) != 3:
        found = f"{root / entry.image[0]}: found an image of shape {list(grid.shape)}"
        raise DataError(f"{found}, expected a volume (3 axes, or 4 with channels); leave it out of the list")
    classes, disagreement = _label(root / entry.label, grid) if entry.label else (None, None)
    values, counts = np.unique(classes, return_counts=True) if classes is not None else ((), ())
    mask = classes > 0 if classes is not None and disagreement is None else None
    return _Case(
        grid=grid,
        samples=tuple(_sampled(channel, mask) for channel in image.as_batch()[0].numpy()),
        label_voxels={int(value): int(count) for value, count in zip(values, counts, strict=True)},
        disagreement=disagreement,
    )


def _label(path: Path, grid: Grid) -> tuple[npt.NDArray[np.int32], Fault | None]:
    """Label values, and what is wrong where they do not lie on the image's grid."""
    label = read_volume(path, dtype="int32")
    data = label.as_batch()[0].numpy()
    if len(data) != 1:
        raise DataError(f"{path}: found a label with {len(data)} channels, expected 1; save a 3D label map")
    return data[0], grid_fault(path, label.grid, image=grid)


def _sampled(channel: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.float32]:
    """Evenly spread values of the labelled voxels, at most so many that no case outweighs the others."""
    values = channel[mask] if mask is not None else channel[:0].ravel()
    return values[:: max(1, -(-values.size // _VALUES_PER_CASE))]


def _channel_faults(description: DatasetDescription, cases: Sequence[_Case]) -> list[Fault]:
    counts = Counter(len(case.samples) for case in cases)
    if len(counts) <= 1:
        return []
    found = " and ".join(f"{channels} in {count} cases" for channels, count in sorted(counts.items()))
    same = "the same channels for every case"
    return [
        Fault(str(description.source), "training", found=f"images with channels: {found}", expected=same, write=same)
    ]


def _summed(cases: Sequence[_Case]) -> DatasetFingerprint:
    voxels: Counter[int] = Counter()
    holders: Counter[int] = Counter()
    for case in cases:
        voxels.update(case.label_voxels)
        holders.update(case.label_voxels.keys())
    channels = zip(*(case.samples for case in cases), strict=True)
    orientations = sorted({axis_codes(case.grid.affine) for case in cases})
    grids = [case.grid if len(orientations) == 1 else _canonical(case.grid) for case in cases]
    return DatasetFingerprint(
        cases=len(cases),
        channels=len(cases[0].samples) if cases else 0,
        shapes=tuple(grid.shape for grid in grids),
        spacings_mm=tuple(grid.spacing_mm for grid in grids),
        intensity=tuple(IntensityStatistics.of(np.concatenate(values)) for values in channels),
        label_voxels=dict(sorted(voxels.items())),
        label_cases=dict(sorted(holders.items())),
        disagreements=tuple(case.disagreement for case in cases if case.disagreement is not None),
        orientations=tuple(orientations),
    )


def _canonical(grid: Grid) -> Grid:
    turn = towards_canonical(grid.affine)
    return Grid(turn.shape(grid.shape), turn.affine(grid.affine, grid.shape))
