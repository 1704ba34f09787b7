"""What the eight image pipelines share: built from one set of values, compared with each other."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.settings import ImagePipeline
from vesalia.transforms.base import Deterministic

__all__ = ["CACHE", "SAMPLING", "LoadFlat", "drawn", "make", "shared_defaults", "vector_list"]

CACHE = {"num_cache_objects", "replace_percent", "caches_data"}
CACHE |= {"cache_budget_gb", "cache_dtype", "cache_device"}
SAMPLING = {"multiprocessing", "items_per_category", "category_weights"}


class LoadFlat(Deterministic):
    """Makes a 2D image of a text file's number; counts the loads."""

    def __init__(self) -> None:
        self.loaded: list[str] = []

    def transform(self, sample: Sample) -> Sample:
        self.loaded.append(sample.name)
        number = float(sample.files["image"][0].read_text())
        return sample.with_fields(image=Volume(torch.full((1, 4, 3), number), channel="first"))


def vector_list(folder: Path, labels: Iterable[Any], **more: Any) -> Path:
    """A data list with these labels under ``training``; each image holds its number."""
    entries = []
    for number, label in enumerate(labels):
        (folder / f"c{number}.png").write_text(str(number))
        entries.append({"image": f"c{number}.png", "label": label, **more})
    (folder / "list.json").write_text(json.dumps({"training": entries}))
    return folder / "list.json"


def make(kind: type[ImagePipeline], file: Path, **args: Any) -> ImagePipeline:
    """A pipeline over ``file`` without threads; caches hold everything unless told otherwise."""
    needs = inspect.signature(kind.__init__).parameters
    cache = {"num_cache_objects": 100, "replace_percent": 0.0} if "num_cache_objects" in needs else {}
    values = {"data_list_key": "training", "output_crop_size": (4, 3), "num_workers": 0, "output_data_dims": 2}
    return kind(str(file), str(file.parent), **{**values, **cache, **args})  # type: ignore[call-arg,arg-type]


def drawn(pipeline: ImagePipeline, *, epoch: int = 0) -> list[str]:
    """The names of an epoch's items, as they come."""
    with pipeline.bind(transforms=[LoadFlat()], seed=3) as bound:
        return [name for batch in bound.epoch(epoch) for name in batch.names]


def shared_defaults(kind: type[ImagePipeline], plain: type[ImagePipeline]) -> set[str]:
    """The parameters that ``kind`` has beyond ``plain``; all others must be declared alike."""
    ours, theirs = (inspect.signature(one.__init__).parameters for one in (kind, plain))
    assert {name: ours[name] for name in theirs} == dict(theirs)
    return set(ours) - set(theirs)
