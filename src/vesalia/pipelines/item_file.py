"""An item on disk: one safetensors file, tensors in plain memory order, the rest as JSON in its header.

A file is mapped, not read: pages come when they are touched, and all processes that map it share them.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vesalia.errors import Fault
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.verify import place_of
from vesalia.runtime.files import as_resource_error, atomic_path

__all__ = ["Kept", "read_item", "write_item"]

_ITEM = "item"
_FIELD, _PREPARED = "field ", "prepared "


@dataclass(frozen=True, slots=True)
class Kept:
    """An item after the deterministic part of its chain, and what was noticed in it.

    Attributes:
        sample: The item.
        faults: What was noticed.
        file: The file that its tensors are mapped from; None where they are in memory.
    """

    sample: Sample
    faults: tuple[Fault, ...] = ()
    file: Path | None = field(default=None, compare=False)


def write_item(path: Path, kept: Kept, *, durable: bool) -> None:
    """Write an item; the file is whole or not there.

    Args:
        path: The file.
        kept: The item.
        durable: Whether it must outlive a power cut; memory cannot.

    Raises:
        ResourceError: There is no room.
    """
    sample = kept.sample
    named = {_FIELD + name: volume.data for name, volume in sample.fields.items()}
    named |= {_PREPARED + key: tensor for key, tensor in sample.prepared.items()}
    tensors, same = _each_once(named)
    told = {
        "fields": {name: _volume_json(volume, sample) for name, volume in sample.fields.items()},
        "same": same,
        "faults": [_fault_json(fault, sample) for fault in kept.faults],
    }
    _write(path, tensors, {_ITEM: json.dumps(told)}, durable=durable)


def _each_once(named: Mapping[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors to write, no two of which share memory; and which names stand for the tensor of another name."""
    tensors: dict[str, torch.Tensor] = {}
    same: dict[str, str] = {}
    owners: dict[tuple[object, ...], str] = {}
    memories: set[int] = set()
    for name, tensor in named.items():
        view = tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()
        memory = tensor.untyped_storage().data_ptr()
        if tensor.numel() and view in owners:
            same[name] = owners[view]
            continue
        tensors[name] = (tensor.clone() if memory in memories else tensor).contiguous()
        owners[view] = name
        memories.add(memory)
    return tensors, same


def _write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str], *, durable: bool) -> None:
    if durable:
        with atomic_path(path) as temporary:
            save_file(dict(tensors), temporary, metadata)
        return
    handle, name = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        save_file(dict(tensors), temporary, metadata)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        cause = error if isinstance(error, OSError) else OSError(0, str(error))
        raise as_resource_error(path, cause) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_item(path: Path, item: DataItem) -> Kept | None:
    """The item of a file, its tensors mapped; None where there is no such file, or one that is torn.

    Args:
        path: The file.
        item: What the data list says of it: names and paths are taken from there.
    """
    try:
        with safe_open(path, "pt") as stored:
            told = json.loads(stored.metadata()[_ITEM])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no mapping
        return replace(_kept(tensors, told, item), file=path)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def _kept(tensors: dict[str, torch.Tensor], told: Mapping[str, Any], item: DataItem) -> Kept:
    tensors |= {name: tensors[owner] for name, owner in told["same"].items()}
    fields = {name: _volume_of(tensors[_FIELD + name], how, item) for name, how in told["fields"].items()}
    prepared = {key.removeprefix(_PREPARED): tensor for key, tensor in tensors.items() if key.startswith(_PREPARED)}
    sample = Sample(fields, name=item.name, files=dict(item.files), prepared=prepared)
    return Kept(sample, tuple(_fault_of(how, sample) for how in told["faults"]))


def _fault_json(fault: Fault, sample: Sample) -> dict[str, Any]:
    """A fault; where it is one of a field the field is told, as files and names may be others next time."""
    fields = (name for name in sample.fields if (fault.file, fault.key) == place_of(sample, name))
    return {**asdict(fault), "field": next(fields, None)}


def _fault_of(how: Mapping[str, Any], sample: Sample) -> Fault:
    texts = {**how}
    name = texts.pop("field")
    fault = Fault(**texts)
    if name is None:
        return fault
    file, key = place_of(sample, name)
    return replace(fault, file=file, key=key)


def _volume_json(volume: Volume, sample: Sample) -> dict[str, Any]:
    return {
        "affine": None if volume.affine is None else volume.affine.tolist(),
        "channel": volume.channel,
        "batched": volume.batched,
        "source": None if volume.source is None else _source_json(volume.source, sample),
    }


def _source_json(source: Source, sample: Sample) -> dict[str, Any]:
    places = {path: [name, place] for name, paths in sample.files.items() for place, path in enumerate(paths)}
    return {
        "paths": [places.get(path, str(path)) for path in source.paths],
        "shape": source.grid.shape,
        "affine": source.grid.affine.tolist(),
        "codes": [source.sform_code, source.qform_code],
        "dtype": source.dtype,
    }


def _volume_of(data: torch.Tensor, how: Mapping[str, Any], item: DataItem) -> Volume:
    affine = None if how["affine"] is None else np.array(how["affine"])
    source = None if how["source"] is None else _source_of(how["source"], item)
    return Volume(data, affine=affine, channel=how["channel"], batched=how["batched"], source=source)


def _source_of(how: Mapping[str, Any], item: DataItem) -> Source:
    def path(said: str | Sequence[Any]) -> Path:
        return Path(said) if isinstance(said, str) else item.files[str(said[0])][int(said[1])]

    grid = Grid(tuple(how["shape"]), np.array(how["affine"]))
    sform, qform = how["codes"]
    return Source(tuple(path(said) for said in how["paths"]), grid, sform, qform, how["dtype"])
