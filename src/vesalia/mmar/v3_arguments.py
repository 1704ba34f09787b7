"""What old configs call by another name: components of v2 and arguments, and arguments that ours have no use for.

An argument that is in neither v3's signature nor ours stays a fault: v3 stopped there as well.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping

__all__ = ["current_argument", "current_name", "without_effect"]

_EVERY: Mapping[str, frozenset[str]] = {
    "transform": frozenset({"dtype", "use_gpu"}),
    "batch_transform": frozenset({"dtype", "use_gpu"}),
    "model": frozenset(
        {
            "data_format",
            "dtype",
            "if_from_scratch",
            "plane",
            "pretrain_weight_name",
            "pretrain_weight_url",
            "use_group_normG",
        }
    ),
    "loss": frozenset({"data_format", "dtype"}),
    "optimizer": frozenset({"name", "use_locking"}),
    "aux_op": frozenset({"data_format", "do_print", "do_summary"}),
    "metric": frozenset({"do_print", "do_summary", "stopping_metric"}),
    "inferer": frozenset({"data_format", "is_channels_first"}),
    "writer": frozenset({"compressed", "revert_canonical", "squeeze_batch_dim"}),
    "model_loader": frozenset({"infer_in_training_mode", "input_node_names", "output_node_names"}),
    "image_pipeline": frozenset(
        {
            "batch_transforms",
            "caches_data",
            "extra_inputs",
            "multiprocessing",
            "output_data_dims",
            "output_data_format",
            "output_image_dtype",
            "output_label_dtype",
            "output_label_format",
            "repeat",
            "sampling",
            "task",
            "transforms",
        }
    ),
}
"""Slot, then what v3's components of it took, most of them because their bases did."""

_OWN: Mapping[str, frozenset[str]] = {
    "RandomZoom": frozenset({"keep_size", "probability"}),
    "FastCropByPosNegRatio": frozenset({"batches_to_gen_at_once", "fast_crop"}),
    "CropByPosNegRatio": frozenset({"batches_to_gen_at_once", "fast_crop"}),
    "CropByPosNegRatioLabelOnly": frozenset({"batches_to_gen_at_once", "fast_crop"}),
    "FastPosNegRatioCropROI": frozenset({"fast_crop"}),
    "SaveAsNifti": frozenset({"interrupt"}),
    "CropForegroundObject": frozenset({"foreground_only"}),
}
"""Component, then what only this one took."""


_RENAMED: Mapping[str, str] = {
    "CropSubVolumeBatchPosNegRatio": "CropByPosNegRatio",
    "TransformVolumeCropROIFastPosNegRatio": "FastPosNegRatioCropROI",
}
"""A name of v2, then what v3 calls it."""


def current_name(name: str) -> str:
    """What a component is called since v3."""
    return _RENAMED.get(name, name)


_RENAMED_ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "AddExtremePointsChannel": {"pert": "permutation"},
    "CropForegroundObject": {"pad": "margin"},
    "WriteClassificationResult": {"result_file_name": "file_name"},
}
"""Component, then what configs call an argument, and what it is called here."""


def current_argument(name: str, *, component: str) -> str:
    """What an argument of a component is called here."""
    return _RENAMED_ARGUMENTS.get(component, {}).get(name, name)


def without_effect(name: str, *, slot: str, component: str) -> bool:
    """Whether v3's component took an argument that has no effect here.

    Args:
        name: The argument.
        slot: Where the component stands.
        component: Its name.
    """
    return name in _EVERY.get(slot, ()) or name in _OWN.get(component, ())
