"""Small stand-ins that the pipeline tests share: text files as volumes, transforms without arithmetic of their own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import PreparedItems
from vesalia.transforms.base import Deterministic, Transform

__all__ = [
    "WAIT_S",
    "Clock",
    "Crops",
    "Load",
    "Merge",
    "Noise",
    "as_it_is",
    "data_folder",
    "items",
    "merge",
    "prepared",
    "sample",
]

SIDE = 4
WAIT_S = 30.0
"""How long a thread waits for another before the test is lost; no test that passes waits so long."""


class Clock:
    """Stands in for ``time.perf_counter``: moves when it is told to, and remembers that it was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = threading.Event()

    def __call__(self) -> float:
        self.asked.set()
        return self.now


def sample(name: str = "case", **data: torch.Tensor) -> Sample:
    """A sample of channel-first volumes."""
    fields = {field: Volume(tensor, channel="first") for field, tensor in data.items()}
    return Sample(fields, name=name, files={field: (Path(f"/data/{name}_{field}.nii"),) for field in data})


def as_it_is(now: Sample, generator: torch.Generator) -> Sample:  # noqa: ARG001 - a chain of nothing
    """The empty chain."""
    return now


def data_folder(folder: Path, count: int) -> Path:
    """A data list of ``count`` subjects under ``training``; each file holds its subject's number."""
    for number in range(count):
        (folder / f"c{number}.nii").write_text(str(number))
    entries = [{"image": f"./c{number}.nii", "label": f"c{number}.nii"} for number in range(count)]
    (folder / "list.json").write_text(json.dumps({"training": entries}))
    return folder / "list.json"


class Load(Deterministic):
    """Makes a volume of a text file's number; counts the loads."""

    def __init__(self, *, side: int = SIDE) -> None:
        self.side = side
        self.loaded: list[str] = []
        self.threads: set[str] = set()

    def transform(self, sample: Sample) -> Sample:
        number = int(sample.files["image"][0].read_text())
        dice = torch.Generator().manual_seed(number)
        shape = (1, self.side, self.side, self.side)
        self.loaded.append(sample.name)
        self.threads.add(threading.current_thread().name)
        label = (torch.rand(shape, generator=dice) > 0.5).float()
        return sample.with_fields(
            image=Volume(torch.randn(shape, generator=dice), channel="first"), label=Volume(label, channel="first")
        )


class Noise(Transform[torch.Tensor]):
    """Adds a random number to the image, and what was prepared for the item."""

    def prepare(self, sample: Sample) -> Sample:
        return replace(sample, prepared={**sample.prepared, "noise": sample["label"].data.sum().float()})

    def draw(self, sample: Sample, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(1, generator=generator)

    def apply(self, sample: Sample, parameters: torch.Tensor) -> Sample:
        image = sample["image"]
        return sample.with_fields(image=replace(image, data=image.data + parameters + sample.prepared["noise"]))


class Crops(Transform[torch.Tensor]):
    """Gives ``count`` crops of 2 voxels per side of each volume."""

    def __init__(self, count: int) -> None:
        self.count = count

    def draw(self, sample: Sample, generator: torch.Generator) -> torch.Tensor:
        return torch.randint(0, SIDE - 1, (self.count,), generator=generator)

    def apply(self, sample: Sample, parameters: torch.Tensor) -> Sample:
        cut = {
            name: replace(
                volume,
                data=torch.stack([volume.data[:, at : at + 2, :2, :2] for at in parameters.tolist()]),
                batched=True,
                affine=None,
            )
            for name, volume in sample.fields.items()
        }
        return sample.with_fields(**cut)


def merge(now: Sample, generator: torch.Generator) -> Sample:  # noqa: ARG001 - a chain of one step
    """What MergeBatchDims does."""
    merged = {name: replace(volume, data=volume.data.flatten(0, 1)) for name, volume in now.fields.items()}
    return now.with_fields(**merged)


class Merge(Deterministic):
    """:func:`merge` as a transform."""

    def transform(self, sample: Sample) -> Sample:
        return merge(sample, torch.Generator())


def items(folder: Path, count: int) -> list[DataItem]:
    """Items whose files hold their numbers."""
    data_folder(folder, count)
    return [DataItem(f"c{n}", dict.fromkeys(("image", "label"), (folder / f"c{n}.nii",)), raw={}) for n in range(count)]


def prepared(listed: Sequence[DataItem], load: Transform[Any], *, num_classes: int | None = 2) -> PreparedItems:
    """A source of these items."""
    return PreparedItems(listed, prefix=load, prepare=Noise().prepare, seed=1, num_classes=num_classes)
