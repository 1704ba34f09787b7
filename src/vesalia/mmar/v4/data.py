"""``dataset`` and ``dataloader`` of a v4 config, as one image pipeline."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.networks import Network
from vesalia.mmar.v4.part import Part, read_part

__all__ = ["CountItems", "Source", "source_of", "translate_data"]

CountItems = Callable[[str, str], int | None]
"""How many items a list has, by its file and key; None where that cannot be told."""

_PLAIN = frozenset({"Dataset", "PersistentDataset", "LMDBDataset", "CacheNTransDataset"})
_CACHED = "CacheDataset"
_SMART = "SmartCacheDataset"
_KEYS = {
    "data_list_file_path": "{DATASET_JSON}",
    "data_file_base_dir": "{DATA_ROOT}",
}
_EVERYTHING = 1_000_000_000
"""A cache of so many items holds them all."""
_WITHOUT_EFFECT = frozenset(
    {"collate_fn", "dataset", "multiprocessing_context", "persistent_workers", "pin_memory", "prefetch_factor"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where items come from.

    Attributes:
        file: The data list.
        base: The folder its paths start from.
        key: The list in it.
        places: The user's key path for each argument.
    """

    file: Any
    base: Any
    key: Any
    places: Mapping[str, str]


def source_of(part: Part | None, where: str, *, default_key: str) -> Source:
    """What a data set reads; v4 writes it beside the arguments or among them."""
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for name, default in {**_KEYS, "data_list_key": default_key}.items():
        beside = {} if part is None else part.node
        among = {} if part is None else part.args
        values[name] = beside.get(name) or among.get(name) or default
        places[name] = f"{where}.{name}" if name in beside else f"{where}.args.{name}"
    return Source(values["data_list_file_path"], values["data_file_base_dir"], values["data_list_key"], places)


def translate_data(
    section: Mapping[str, Any], where: str, *, draft: Draft, network: Network, crop: Any, count: CountItems
) -> dict[str, Any]:
    """The image pipeline that gives what data set and loader gave.

    Args:
        section: ``train`` or ``validate``.
        where: Its key path.
        draft: Where faults and notes go.
        network: What the model says of its input.
        crop: The size of the chain's crops, if they have one.
        count: Counts the items of a list.
    """
    part = read_part(section.get("dataset"), f"{where}.dataset", draft=draft)
    if part is None and "dataset" not in section:
        write = '"dataset": {"name": "CacheDataset", "args": {"cache_rate": 1.0}}'
        draft.fault(f"{where}.dataset", found="nothing", expected="a data set", write=write)
    loader = read_part(section.get("dataloader"), f"{where}.dataloader", draft=draft)
    key = f"{where}.image_pipeline"
    source = source_of(part, f"{where}.dataset", default_key="training" if where == "train" else "validation")
    is_size = isinstance(crop, list) and len(crop) == network.dims
    args: dict[str, Any] = {
        "data_list_file_path": source.file,
        "data_file_base_dir": source.base,
        "data_list_key": source.key,
        "output_crop_size": crop if is_size else [-1] * network.dims,
        "output_image_channels": network.channels,
        "output_data_dims": network.dims,
        **_loading(loader, draft, key, f"{where}.dataloader"),
    }
    draft.places.put(key, f"{where}.dataset")
    for name, place in source.places.items():
        draft.places.put(f"{key}.args.{name}", place)
    cache = _cache(part, source, draft, count) if part else {}
    name = f"SegmentationImagePipeline{'WithCache' if cache else ''}"
    return {"name": name, "args": {**args, **cache}}


def _loading(loader: Part | None, draft: Draft, key: str, where: str) -> dict[str, Any]:
    args = {} if loader is None else loader.args
    for ours, theirs in {"output_batch_size": "batch_size", "num_workers": "num_workers", "shuffle": "shuffle"}.items():
        draft.places.put(f"{key}.args.{ours}", f"{where}.args.{theirs}")
    if args.get("drop_last") is True:
        draft.note(f"{where}.args.drop_last", "nothing (an epoch uses every item)")
    for name in args:
        if name not in {"batch_size", "num_workers", "shuffle", "drop_last", *_WITHOUT_EFFECT}:
            draft.note(f"{where}.args.{name}", "nothing")
    return {
        "output_batch_size": args.get("batch_size", 1),
        "num_workers": args.get("num_workers", 0),
        "shuffle": args.get("shuffle", False),
    }


def _cache(part: Part, source: Source, draft: Draft, count: CountItems) -> dict[str, Any]:
    """The arguments of a cache; empty for a pipeline without one."""
    if part.is_custom or part.name not in {_CACHED, _SMART}:
        if part.is_custom or part.name not in _PLAIN:
            known = [*sorted(_PLAIN), _CACHED, _SMART]
            what = f"one of the data sets {', '.join(known)}"
            draft.unknown(f"{part.where}.name", part.name, known=known, what=what)
        draft.note(part.said, "SegmentationImagePipeline")
        return {}
    items = count(str(source.file), str(source.key))
    wanted = _wanted(part, draft, items)
    if part.name == _SMART:
        rate = part.args.get("replace_rate", 0.0)
        draft.places.put(
            f"{part.where.rpartition('.')[0]}.image_pipeline.args.replace_percent", part.at("replace_rate")
        )
        draft.note(part.said, "SegmentationImagePipelineWithCache, replace_percent as replace_rate")
        return {"num_cache_objects": wanted, "replace_percent": rate}
    if items is not None and wanted < items:
        became = f"SegmentationImagePipeline: an epoch uses all {items} items, and a cache here only its {wanted}"
        draft.note(part.said, became)
        return {}
    draft.note(part.said, "SegmentationImagePipelineWithCache, which holds every item")
    return {"num_cache_objects": wanted, "replace_percent": 0.0}


def _wanted(part: Part, draft: Draft, items: int | None) -> int:
    """Items in the cache: ``cache_num``, and no more than ``cache_rate`` of all."""
    number = draft.value(part.args, "cache_num", kind="Count", key=f"{part.where}.args", default=_EVERYTHING)
    rate = draft.value(part.args, "cache_rate", kind="Probability", key=f"{part.where}.args", default=1.0)
    share = _EVERYTHING if items is None or rate == 1 else max(1, math.floor(items * rate))
    return int(min(number, share))
