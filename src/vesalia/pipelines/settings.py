"""What every image pipeline is told by a config, and how it is bound to transforms and a seed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from vesalia.errors import ConfigError
from vesalia.pipelines.bad_items import BadItemAction, BadItems
from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.batching import Batcher
from vesalia.pipelines.cached import CacheSettings, RunSettings, cached_source
from vesalia.pipelines.datalist import DataList, read_datalist
from vesalia.pipelines.delivered_labels import DeliveredLabels
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.label_vectors import require_vectors
from vesalia.pipelines.order import WHOLE, Shard
from vesalia.pipelines.pipeline import BoundPipeline, Delivery
from vesalia.pipelines.sampling import CategorySampling, Draw, categories_of
from vesalia.pipelines.stored_form import StoredForm
from vesalia.transforms.base import Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.fusion.chain import FusedChain

__all__ = ["ImagePipeline", "PipelineSettings"]

_IMAGE_DTYPES = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
    "float64": torch.float64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSettings:
    """The values that all image pipelines share; the constructors of the pipelines say what they mean."""

    data_list_file_path: str
    data_file_base_dir: str
    data_list_key: str
    output_batch_size: int
    batched_by_transforms: bool
    num_workers: int
    prefetch_size: int
    output_image_dtype: str
    shuffle: bool
    duplicate_count: int
    label_format: tuple[int, ...] | None = None
    on_bad_item: BadItemAction = "stop"

    def __post_init__(self) -> None:
        if self.output_batch_size < 1 and not self.batched_by_transforms:
            raise ConfigError(
                f"output_batch_size: found {self.output_batch_size}, expected 1 or more (0 is for "
                "batched_by_transforms: true); write 4, for one"
            )
        if self.output_image_dtype not in _IMAGE_DTYPES:
            raise ConfigError(
                f'output_image_dtype: found "{self.output_image_dtype}", expected one of {", ".join(_IMAGE_DTYPES)}; '
                'write "float32"'
            )

    @property
    def image_dtype(self) -> torch.dtype:
        """Number format of images in a batch."""
        return _IMAGE_DTYPES[self.output_image_dtype]


class ImagePipeline:
    """A pipeline as a config describes it; :meth:`bind` sets it to work.

    Attributes:
        settings: The shared values.
        sampling: How epochs are rebalanced by category; None where each item comes once.
        cache: What is kept of the items; None where they are made anew each time.
    """

    cache: CacheSettings | None = None

    def __init__(self, settings: PipelineSettings) -> None:
        self.settings = settings
        self.sampling: CategorySampling | None = None

    @cached_property
    def datalist(self) -> DataList:
        """The items, read on first use.

        Raises:
            DataError: The list has faults, or files are missing.
        """
        how = self.settings
        listed = read_datalist(Path(how.data_list_file_path), Path(how.data_file_base_dir), key=how.data_list_key)
        require_vectors(listed, how.label_format)
        return listed.repeated(how.duplicate_count)

    def bind(
        self,
        *,
        transforms: Sequence[Transform[Any]],
        batch_transforms: Sequence[Transform[Any]] = (),
        seed: int,
        num_classes: int | None = None,
        shard: Shard = WHOLE,
        run: RunSettings | None = None,
    ) -> BoundPipeline:
        """Bind to transforms and a seed; nothing is loaded yet.

        Args:
            transforms: What each item goes through; its longest deterministic beginning can be cached.
            batch_transforms: What each assembled batch goes through.
            seed: Root of all random states.
            num_classes: Classes of the network, by which labels are judged; None leaves label values unjudged.
            shard: This process's part of the work where several train together.
            run: What the run says beside the config.

        Raises:
            DataError: The data list has faults, or files are missing.
            ResourceError: The cache cannot be where it is asked for.
        """
        how, run = self.settings, run or RunSettings()
        prefix, augment = Compose(transforms).split_deterministic()
        form = StoredForm.split(prefix, augment, kind=self.cache.dtype if self.cache else "float32")
        bad = BadItems(run.on_bad_item or how.on_bad_item, run.say)
        later = DeliveredLabels(augment.transforms, restoring=form.restoring)
        prepared = PreparedItems(
            self.datalist.items,
            prefix=form.prefix,
            prepare=Compose(augment.transforms[:1]).prepare,
            seed=seed,
            num_classes=num_classes,
            delivered=later,
            compact=form.compact,
            bad=bad,
        )
        delivery = Delivery(
            batch_size=1 if how.batched_by_transforms else how.output_batch_size,
            shuffle=how.shuffle,
            workers=how.num_workers,
            prefetch=how.prefetch_size,
            seed=seed,
            draw=self._draw(),
            shard=shard,
            pinned=run.pinned,
        )
        batcher = Batcher(
            Compose(batch_transforms), batched_by_transforms=how.batched_by_transforms, image_dtype=how.image_dtype
        )
        source: ItemSource = prepared
        if self.cache is not None:
            source = cached_source(
                prepared,
                self.cache,
                run=run,
                made_by=[form, augment.transforms[:1], num_classes, *later.steps],
                num_workers=how.num_workers,
                shuffle_seed=seed if how.shuffle else None,
            )
        chain = FusedChain(Compose([*form.restoring, *augment.transforms]))
        chain.compile_ahead()
        return BoundPipeline(self.datalist, source, augment=chain, batcher=batcher, delivery=delivery, bad=bad)

    def _draw(self) -> Draw | None:
        if self.sampling is None:
            return None
        categories, count = categories_of(self.datalist.items, label_format=self.settings.label_format)
        return self.sampling.over(categories, count=count)
