"""``ClassificationImagePipeline``: images with vectors of labels, loaded and transformed anew in every epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

from vesalia.pipelines.settings import ImagePipeline, PipelineSettings
from vesalia.registry.kinds import Count, DeclaredSize, Whole, Widths

__all__ = ["ClassificationImagePipeline"]


class ClassificationImagePipeline(ImagePipeline):
    """Delivers every image of the list once per epoch, with the label vector of its entry; nothing is kept.

    An entry is ``{"image": "chest_1.png", "label": [0, 1, 0]}``; a batch has the labels as ``[B, labels]``.
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
        output_label_format: Widths | None = None,
        output_data_format: Literal["channels_first", "channels_last"] = "channels_first",
        output_data_dims: Count = 3,
        output_image_dtype: str = "float32",
        shuffle: bool = True,
        repeat: bool = True,
        duplicate_count: Count = 1,
        on_bad_item: Literal["stop", "skip"] = "stop",
    ) -> None:
        """Take the config's values.

        Args:
            data_list_file_path: Data list in JSON.
            data_file_base_dir: Folder that relative paths of the list are joined to.
            data_list_key: Key of the list, such as ``training``.
            output_crop_size: Size in voxels that batches are declared to have, -1 for free; nothing is cropped here.
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
            shuffle: Whether each epoch has an order of its own (samples for validation keep the list's order).
            repeat: Without effect: an epoch is one pass.
            duplicate_count: How many times over the list is used.
            on_bad_item: What is done about an item that cannot be used in the middle of a run: ``stop`` the run, or
                ``skip`` it, so that the next item of the epoch's order takes its place.
        """
        super().__init__(
            PipelineSettings(
                data_list_file_path=data_list_file_path,
                data_file_base_dir=data_file_base_dir,
                data_list_key=data_list_key,
                output_batch_size=output_batch_size,
                batched_by_transforms=batched_by_transforms,
                num_workers=num_workers,
                prefetch_size=prefetch_size,
                output_image_dtype=output_image_dtype,
                shuffle=shuffle,
                duplicate_count=duplicate_count,
                on_bad_item=on_bad_item,
                label_format=None if output_label_format is None else tuple(output_label_format),
            )
        )
        self.output_crop_size = tuple(output_crop_size)
        self.output_image_channels = output_image_channels
        self.output_label_channels = output_label_channels
        self.output_data_format = output_data_format
        self.output_data_dims = output_data_dims
