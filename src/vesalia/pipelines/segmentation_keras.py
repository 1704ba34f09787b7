"""``SegmentationKerasImagePipeline``: the segmentation pipeline that can rebalance its items by category."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vesalia.pipelines.sampling import CategorySampling
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.registry.kinds import Count, DeclaredSize, Whole, Widths

__all__ = ["SegmentationKerasImagePipeline"]


class SegmentationKerasImagePipeline(SegmentationImagePipeline):
    """As ``SegmentationImagePipeline``, and its epochs can be drawn by category.

    Epochs can be rebalanced by category: ``items_per_category`` of each, or as many items as ever, split by
    ``category_weights``. Within a category every item is taken once before any is taken again.
    """

    def __init__(
        self,
        data_list_file_path: str,
        data_file_base_dir: str,
        *,
        data_list_key: str,
        output_crop_size: DeclaredSize,
        output_batch_size: Whole = 10,
        batched_by_transforms: bool = False,
        num_workers: Whole = 4,
        prefetch_size: Whole = 20,
        output_image_channels: Count = 1,
        output_label_channels: Count = 1,
        output_data_format: Literal["channels_first", "channels_last"] = "channels_first",
        output_data_dims: Count = 3,
        output_image_dtype: str = "float32",
        shuffle: bool = True,
        repeat: bool = True,
        duplicate_count: Count = 1,
        on_bad_item: Literal["stop", "skip"] = "stop",
        multiprocessing: bool = False,
        items_per_category: Count | Widths | None = None,
        category_weights: Sequence[float] | None = None,
    ) -> None:
        """Take the config's values: those of ``SegmentationImagePipeline``, and the sampling's.

        Args:
            data_list_file_path: Data list in JSON.
            data_file_base_dir: Folder that relative paths of the list are joined to.
            data_list_key: Key of the list, such as ``training``.
            output_crop_size: Size in voxels that batches are declared to have, -1 for free; nothing is cropped here.
            output_batch_size: Items per batch; ignored, and then also 0, with ``batched_by_transforms``.
            batched_by_transforms: Whether the chain holds a crop that makes each volume a batch.
            num_workers: Threads that load and transform; 0 for none. The result does not depend on it.
            prefetch_size: Items that may wait ready, or be in work, before they are asked for.
            output_image_channels: Channels that images are declared to have; not enforced.
            output_label_channels: Channels that labels are declared to have; not enforced.
            output_data_format: Without effect: batches are channels first.
            output_data_dims: Spatial dimensions that are declared, 2 or 3.
            output_image_dtype: Number format of images in a batch.
            shuffle: Whether each epoch has an order of its own (samples for validation keep the list's order).
            repeat: Without effect: an epoch is one pass.
            duplicate_count: How many times over the list is used.
            on_bad_item: What is done about an item that cannot be used in the middle of a run: ``stop`` the run, or
                ``skip`` it, so that the next item of the epoch's order takes its place.
            multiprocessing: Without effect: threads do the work, and the result does not depend on how many.
            items_per_category: Items that an epoch draws of each category: one number for all, or one each. Each entry
                of the data list says its own under ``category``.
            category_weights: Relative share of an epoch's draws that each category gets.
        """
        super().__init__(
            data_list_file_path,
            data_file_base_dir,
            data_list_key=data_list_key,
            output_crop_size=output_crop_size,
            output_batch_size=output_batch_size,
            batched_by_transforms=batched_by_transforms,
            num_workers=num_workers,
            prefetch_size=prefetch_size,
            output_image_channels=output_image_channels,
            output_label_channels=output_label_channels,
            output_data_format=output_data_format,
            output_data_dims=output_data_dims,
            output_image_dtype=output_image_dtype,
            shuffle=shuffle,
            repeat=repeat,
            duplicate_count=duplicate_count,
            on_bad_item=on_bad_item,
        )
        self.multiprocessing = multiprocessing
        self.sampling = CategorySampling.asked(items_per_category, category_weights)
