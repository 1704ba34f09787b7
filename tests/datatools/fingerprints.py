"""Descriptions and fingerprints without files, for what is decided from them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.datatools.description import DatasetDescription, DatasetEntry
from vesalia.datatools.scan import DatasetFingerprint, IntensityStatistics
from vesalia.datatools.sizing import Sizes, choose_sizes

__all__ = ["GIGABYTE", "described", "measured", "sized"]

GIGABYTE = 1_000_000_000


def described(*, training: int = 20, validation: int = 5, modality: str = "CT") -> DatasetDescription:
    """A data set with a liver and a left kidney."""
    entries = [DatasetEntry((f"{index}.nii.gz",), f"{index}_label.nii.gz") for index in range(training + validation)]
    labels = {0: "background", 1: "liver", 2: "Left kidney"}
    root = Path("/data")
    return DatasetDescription(
        "Some", root, root / "dataset.json", (modality,), labels,
        tuple(entries[:training]), tuple(entries[training:]),
    )  # fmt: skip


def measured(
    shape: tuple[int, ...] = (64, 64, 48), *, spacing: tuple[float, ...] = (3.0, 3.0, 3.0), channels: int = 1
) -> DatasetFingerprint:
    """A data set of equal volumes."""
    intensity = (IntensityStatistics(-20.4, 210.6, 100.0, 30.0),) * channels
    return DatasetFingerprint(
        3, channels, (shape,) * 3, (spacing,) * 3, intensity, {0: 90, 1: 8, 2: 2}, {0: 3, 1: 3, 2: 1}
    )


def sized(*, shape: tuple[int, ...] = (64, 64, 48), memory_bytes: int = 8 * GIGABYTE, modality: str = "CT") -> Sizes:
    """The sizes for such a data set."""
    return choose_sizes(described(modality=modality), measured(shape), memory_bytes=memory_bytes)
