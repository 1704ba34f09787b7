"""Is this config one of Clara Train v4: told by its keys, never by its file name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EVALUATE_NAMES", "SECTION_NAMES", "TRAIN_NAMES", "evaluation_section", "is_v4"]

_ONLY_THERE = frozenset({"num_interval_per_valid", "CLARA_TRAIN_VERSION", "dont_load_ckpt_model", "dont_load_ts_model"})
"""Top-level keys that v3 does not have."""
_SECTIONS = ("train", "validate", "evaluate", "infer", "inference")
_PARTS = frozenset(
    {
        "additional_metrics",
        "dataloader",
        "dataset",
        "evaluator",
        "key_metric",
        "lr_scheduler",
        "trainer",
    }
)
"""Keys of a section that v3 does not have."""

_EVERYWHERE = frozenset(
    {
        "CLARA_TRAIN_VERSION",
        "amp",
        "cudnn_benchmark",
        "determinism",
        "dont_load_ckpt_model",
        "dont_load_ts_model",
        "imports",
        "multi_gpu",
        "print_conf",
        "search",
        "tf32",
        "use_gpu",
    }
)
TRAIN_NAMES = _EVERYWHERE | {"epochs", "learning_rate", "num_interval_per_valid", "stop_threshold", "train", "validate"}
"""Top-level keys of a v4 training config."""
SECTION_NAMES = (
    "additional_metrics",
    "dataloader",
    "dataset",
    "evaluator",
    "handlers",
    "inferer",
    "key_metric",
    "label_transforms",
    "loss",
    "lr_scheduler",
    "metrics",
    "model",
    "optimizer",
    "post_transforms",
    "pre_transforms",
    "trainer",
)
"""Keys of the section ``train``; the others have fewer."""
EVALUATE_NAMES = (
    _EVERYWHERE
    | frozenset(_SECTIONS[1:])
    | frozenset(SECTION_NAMES)
    | {"DATA_LIST_KEY", "do_validation", "learning_rate", "output_infer_result"}
)
"""Top-level keys of a v4 config for validation or inference, whose parts may stand at the top or in one section."""


def is_v4(config: Mapping[str, Any]) -> bool:
    """Whether a config has keys that v4 has and v3 has not."""
    if _ONLY_THERE & config.keys() or _PARTS & config.keys():
        return True
    sections = [config[name] for name in _SECTIONS if isinstance(config.get(name), Mapping)]
    return any(_PARTS & section.keys() for section in sections)


def evaluation_section(config: Mapping[str, Any]) -> str:
    """The key of the section that an evaluation config's parts stand in; empty where they stand at the top."""
    return next((name for name in _SECTIONS[1:] if isinstance(config.get(name), Mapping)), "")
