"""What a data set is, whatever layout it came in: subjects with files, classes with names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vesalia.pipelines.label_names import class_names

__all__ = ["DatasetDescription", "DatasetEntry", "split"]


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One subject.

    Attributes:
        image: The image's files, one per channel, relative to the data set's root (``/`` between parts).
        label: The label's file, relative to the root; None where there is none.
    """

    image: tuple[str, ...]
    label: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The entry as a Decathlon-style data list has it."""
        image: str | list[str] = self.image[0] if len(self.image) == 1 else list(self.image)
        return {"image": image} if self.label is None else {"image": image, "label": self.label}


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """A data set as its own files describe it; no image was read.

    Attributes:
        name: What the data set calls itself.
        root: The folder that relative paths begin at.
        source: The JSON file that was read.
        modality: A name per channel, such as ``("CT",)`` or ``("T1", "FLAIR")``.
        labels: Class name by label value, the background (0) included.
        training: Subjects to learn from.
        validation: Subjects to judge by.
        test: Subjects without a label.
        licence: The data's licence, where it is said.
        reference: Where the data came from, where it is said.
        about: One line about the data, where it is said.
    """

    name: str
    root: Path
    source: Path
    modality: tuple[str, ...]
    labels: Mapping[int, str]
    training: tuple[DatasetEntry, ...]
    validation: tuple[DatasetEntry, ...] = ()
    test: tuple[DatasetEntry, ...] = ()
    licence: str = ""
    reference: str = ""
    about: str = ""

    @property
    def is_ct(self) -> bool:
        """Whether every channel is a CT, so that densities mean the same in all files."""
        return bool(self.modality) and all(name.strip().upper().startswith("CT") for name in self.modality)

    @property
    def num_classes(self) -> int:
        """Channels a model needs: the largest label value and all below it."""
        return max(self.labels) + 1

    def class_names(self) -> tuple[str, ...]:
        """A name per label value from 0 up; ``class_3`` where the data set names none."""
        return class_names(self.labels, count=self.num_classes)


def split(
    entries: Sequence[DatasetEntry], *, fraction: float = 0.2, seed: int = 0
) -> tuple[tuple[DatasetEntry, ...], tuple[DatasetEntry, ...]]:
    """Part subjects into (training, validation), each in the order given.

    Args:
        entries: The subjects.
        fraction: Part that is held out; at least one subject where there are two or more.
        seed: Decides which.
    """
    held_out = min(len(entries) - 1, max(1, round(len(entries) * fraction))) if entries else 0
    chosen = set(np.random.default_rng(seed).permutation(len(entries))[:held_out].tolist())
    kept = tuple(entry for index, entry in enumerate(entries) if index not in chosen)
    return kept, tuple(entry for index, entry in enumerate(entries) if index in chosen)
