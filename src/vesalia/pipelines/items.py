"""Where a sample begins, and how it is made ready for the random part of its chain."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch

from vesalia.errors import Fault
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.bad_items import BadItems
from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.delivered_labels import DeliveredLabels
from vesalia.pipelines.item_file import Kept
from vesalia.pipelines.verify import LABEL, verify
from vesalia.runtime.seeds import generator

__all__ = ["Chain", "PreparedItems", "begin_sample", "compact_label", "own_memory"]

Chain = Callable[[Sample, torch.Generator], Sample]
"""Transforms in a row, as ``Compose`` makes them."""


def begin_sample(item: DataItem) -> Sample:
    """The sample a chain begins with: files, nothing loaded yet, and the list's own numbers as volumes ``[n]``."""
    vectors = {name: Volume(torch.tensor(numbers), channel="first") for name, numbers in item.vectors.items()}
    return Sample(vectors, name=item.name, files=dict(item.files))


def compact_label(sample: Sample) -> Sample:
    """The sample with its label as uint8 where that loses nothing: a quarter of the memory of float32."""
    label = sample.fields.get(LABEL)
    if label is None or label.data.dtype == torch.uint8:
        return sample
    compact = label.data.to(torch.uint8)
    if not torch.equal(compact.to(label.data.dtype), label.data):
        return sample
    return sample.with_fields(**{LABEL: replace(label, data=compact)})


def own_memory(sample: Sample) -> Sample:
    """The sample with contiguous tensors that hold no more memory than they show: a view keeps all that it views."""
    return sample.with_fields(
        **{name: replace(volume, data=_own(volume.data)) for name, volume in sample.fields.items()}
    )


def _own(tensor: torch.Tensor) -> torch.Tensor:
    tight = tensor.is_contiguous() and tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    return tensor if tight else tensor.clone(memory_format=torch.contiguous_format)


class PreparedItems(ItemSource):
    """Items that are loaded, taken through the deterministic part of the chain and judged each time they are asked for.

    Attributes:
        items: The data list's items; their places in it are their numbers.
        bad: What is known of items that cannot be used.
    """

    def __init__(
        self,
        items: Sequence[DataItem],
        *,
        prefix: Chain,
        prepare: Callable[[Sample], Sample],
        seed: int,
        num_classes: int | None = None,
        delivered: DeliveredLabels | None = None,
        compact: Callable[[Sample], Sample] | None = None,
        bad: BadItems | None = None,
    ) -> None:
        """Take what makes an item ready.

        Args:
            items: The items.
            prefix: The deterministic part of the chain.
            prepare: What the first random transform can do once per item.
            seed: The run's seed.
            num_classes: Classes that labels are judged by; None leaves them unjudged.
            delivered: What becomes of labels later; judged where a label is not sound as it is.
            compact: Brings an item into the form in which it is kept.
            bad: What is known of items that cannot be used; shared with whoever replaces them.
        """
        self.items = items
        self.bad = BadItems() if bad is None else bad
        self._compact = compact
        self._prefix, self._prepare = prefix, prepare
        self._seed, self._num_classes, self._delivered = seed, num_classes, delivered
        self._verified: dict[int, tuple[Fault, ...]] = {}

    def window(self, epoch: int) -> Sequence[int]:
        """All items, in every epoch."""
        return range(len(self.items))

    def get(self, index: int) -> Sample:
        """Load and transform item ``index``; the first time it is judged, too.

        Raises:
            DataError: The item cannot be used.
        """
        return self.make(index).sample

    def make(self, index: int) -> Kept:
        """Item ``index``, and what was noticed in it.

        Raises:
            DataError: The item cannot be used.
        """
        known = self.bad.error(index)
        if known is not None:
            raise known
        sample = compact_label(self._prefix(begin_sample(self.items[index]), generator(self._seed, "item", index)))
        sample = sample if self._compact is None else self._compact(sample)
        if index not in self._verified:
            self._verified[index] = self._judged(sample)
        return Kept(self._prepare(own_memory(sample)), self._verified[index])

    def _judged(self, sample: Sample) -> tuple[Fault, ...]:
        later = self._delivered
        if later is None or not later.steps:
            return verify(sample, num_classes=self._num_classes)
        found = partial(self._labels_of, later, sample)
        return verify(sample, num_classes=self._num_classes, delivered=found)

    def _labels_of(self, later: DeliveredLabels, sample: Sample) -> list[Volume]:
        return later.of(self._prepare(sample), seed=self._seed)

    def remember(self, index: int, faults: tuple[Fault, ...]) -> None:
        """An item need not be judged any more: another process, or an earlier run, noticed this."""
        self._verified.setdefault(index, faults)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed in the items loaded so far."""
        verified = dict(self._verified)
        return tuple(fault for index in sorted(verified) for fault in verified[index])
