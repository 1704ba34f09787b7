"""``ClassificationImagePipelineWithCache``: the deterministic part of the chain is done once and kept in memory."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

from vesalia.pipelines.cached import CacheSettings
from vesalia.pipelines.classification import ClassificationImagePipeline
from vesalia.registry.kinds import Count, DeclaredSize, Positive, Probability, Whole, Widths

__all__ = ["ClassificationImagePipelineWithCache"]


class ClassificationImagePipelineWithCache(ClassificationImagePipeline):
    """Keeps N images after the longest deterministic beginning of the chain; an epoch uses these alone.

    After each epoch ceil(N * replace_percent) of them are replaced by the next ones of the list.
    """

    def __init__(
        self,
        data_list_file_path: str,
        data_file_base_dir: str,
        *,
        data_list_key: str,
        output_crop_size: DeclaredSize,
        num_cache_objects: Count,
        replace_percent: Probability,
        caches_data: bool = True,
        output_batch_size: Whole = 10,
        batched_by_transforms: bool = False,
        num_workers: Whole = 4,
        prefetch_size: Whole = 20,
        output_image_channels: Count = 1,
        output_label_channels: Count = 1,
        output_label_format: Widths | None = None,
        output_data_format: Literal["channels_first", "channels_last"] = "channels_first",
        output_data_dims: Count = 3,
        output_image_dtype: str = "float32",
        shuffle: bool = True,
        repeat: bool = True,
        duplicate_count: Count = 1,
        on_bad_item: Literal["stop", "skip"] = "stop",
        cache_budget_gb: Positive | None = None,
        cache_dtype: Literal["auto", "float32", "float16"] = "auto",
        cache_device: Literal["cpu", "cuda"] = "cpu",
    ) -> None:
        """Take the config's values: those of ``ClassificationImagePipeline``, and the cache's.

        Args:
            data_list_file_path: Data list in JSON.
            data_file_base_dir: Folder that relative paths of the list are joined to.
            data_list_key: Key of the list, such as ``training``.
            output_crop_size: Size in voxels that batches are declared to have, -1 for free; nothing is cropped here.
            num_cache_objects: N, the items to keep; more than there are means all.
            replace_percent: The part of N that is replaced after an epoch: a fraction of 1 (0.25), not percent.
            caches_data: False makes this a pipeline without a cache.
            output_batch_size: Items per batch; ignored, and then also 0, with ``batched_by_transforms``.
            batched_by_transforms: Whether the chain holds a crop that makes each volume a batch.
            num_workers: Threads that load and transform; 0 for none. The result does not depend on it.
            prefetch_size: Items that may wait ready, or be in work, before they are asked for.
            output_image_channels: Channels that images have by the end of the chain.
            output_label_channels: Without effect: labels are vectors.
            output_label_format: A number per label of the vector: 1 for a binary label, n for one of n classes. The
                model has as many output channels as these numbers add up to, label behind label.
            output_data_format: Without effect: batches are channels first.
            output_data_dims: Spatial dimensions that are declared, 2 or 3.
            output_image_dtype: Number format of images in a batch.
            shuffle: Whether each epoch has an order of its own, and a moving window a shuffled list to run over.
            repeat: Without effect: an epoch is one pass.
            duplicate_count: How many times over the list is used; each occurrence is an item of the cache.
            on_bad_item: What is done about an item that cannot be used in the middle of a run: ``stop`` the run, or
                ``skip`` it, so that the next item of the epoch's order takes its place.
            cache_budget_gb: What the cache may take, in 10^9 bytes; items that do not fit are made each time they are
                used. Without it the cache takes what it needs, and leaves the machine a tenth of its memory.
            cache_dtype: ``auto`` keeps whole numbers as such and all else as float32, at no loss; ``float16`` halves
                what is not whole, and rounds it; ``float32`` keeps everything as the chain gives it.
            cache_device: Where cached voxels are: in host memory, or on the GPU, which then does the random steps, too.
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
            output_label_format=output_label_format,
            output_data_format=output_data_format,
            output_data_dims=output_data_dims,
            output_image_dtype=output_image_dtype,
            shuffle=shuffle,
            repeat=repeat,
            duplicate_count=duplicate_count,
            on_bad_item=on_bad_item,
        )
        self.cache = CacheSettings.asked(
            caches_data=caches_data,
            num_cache_objects=num_cache_objects,
            replace_percent=replace_percent,
            budget_gb=cache_budget_gb,
            dtype=cache_dtype,
            device=cache_device,
        )
