"""A public config as an archive on disk, and the tiny data that it is tried on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.public_configs import automl, getting_started, model_registry, performance, third_party
from tests.end_to_end.public_configs.pieces import Config, PublicConfig

__all__ = ["CONFIGS", "NAMES", "build", "data_settings", "public"]

CONFIGS: Mapping[str, PublicConfig] = {
    public.name: public
    for module in (getting_started, performance, automl, third_party, model_registry)
    for public in module.CONFIGS
}
NAMES = tuple(CONFIGS)

_FOLDERS = ("commands", "config", "docs", "eval", "models", "resources")
_ENVIRONMENT = {
    "DATA_ROOT": "/workspace/data",
    "DATASET_JSON": "/workspace/data/dataset.json",
    "PROCESSING_TASK": "segmentation",
    "MMAR_EVAL_OUTPUT_PATH": "eval",
    "MMAR_CKPT_DIR": "models",
}


def public(name: str) -> PublicConfig:
    """A public config by its name."""
    return CONFIGS[name]


def build(root: Path, one: PublicConfig, config: Config | None = None) -> Path:
    """Write the archive, with the config as it is or as a changed one; returns its folder."""
    for part in _FOLDERS:
        (root / part).mkdir(parents=True)
    (root / "config" / "environment.json").write_text(json.dumps({**_ENVIRONMENT, **one.environment}))
    (root / "config" / "config_train.json").write_text(json.dumps(config or one.config, indent=1))
    for name, text in one.custom.items():
        (root / one.code_folder).mkdir(exist_ok=True)
        (root / one.code_folder / name).write_text(text)
    return root


def data_settings(dataset: Path) -> list[str]:
    """What the scripts of the archives give after ``--set`` to say where the data are."""
    return [f"DATA_ROOT={dataset.parent}", f"DATASET_JSON={dataset}"]
