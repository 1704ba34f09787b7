"""Writing a ready MMAR for a data set."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vesalia.datatools.command_templates import LOG_CONFIG, command_scripts
from vesalia.datatools.dataset import read_dataset
from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.evaluate_template import evaluate_config
from vesalia.datatools.model_card import model_card
from vesalia.datatools.readable_json import readable_json
from vesalia.datatools.scan import DatasetFingerprint, scan
from vesalia.datatools.sizing import Sizes, choose_sizes
from vesalia.datatools.train_template import train_config
from vesalia.datatools.whole_folder import refuse_occupied, whole_folder
from vesalia.errors import ConfigError, DataError, Fault
from vesalia.mmar.archive import FOLDERS
from vesalia.runtime.files import write_text
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["new_archive"]

_TASK = "segmentation"


def new_archive(
    folder: Path,
    *,
    data: Path,
    task: str = "segmentation",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write an MMAR that trains, validates and infers on ``data`` as it stands.

    Voxel size, intensity window, crop, batch and cache come from a scan of the data and the memory of this machine.

    Args:
        folder: Where to write; must be missing or empty. It is whole or not there.
        data: A Decathlon data set or an nnU-Net version 2 raw data set: its folder or its ``dataset.json``.
        task: What the model does; ``segmentation`` is there now.
        progress: Called during the scan with (cases done, cases in all).

    Returns:
        The folder.

    Raises:
        ConfigError: ``task`` is not known.
        UserError: The folder holds something already.
        DataError: The data set is in no known layout, is damaged, or its images and labels disagree.
    """
    if task != _TASK:
        raise ConfigError(f"task: found {task!r}, expected {_TASK!r}, the one there is now; write --task {_TASK}")
    refuse_occupied(folder)
    description = read_dataset(data)
    _require_cases(description)
    fingerprint = scan(description, progress)
    _require_usable(description, fingerprint)
    sizes = choose_sizes(description, fingerprint, memory_bytes=available_memory_bytes())
    with whole_folder(folder) as draft:
        for name in FOLDERS:
            (draft / name).mkdir()
        _write_configs(draft / "config", description, sizes)
        _write_commands(draft / "commands")
        write_text(draft / "docs" / "README.md", model_card(description, fingerprint=fingerprint, sizes=sizes))
        write_text(draft / "resources" / "log.config", LOG_CONFIG)
    return folder


def _write_configs(folder: Path, description: DatasetDescription, sizes: Sizes) -> None:
    write_text(folder / "config_train.json", readable_json(train_config(sizes)))
    write_text(folder / "config_validation.json", readable_json(evaluate_config(sizes, description.class_names())))
    write_text(folder / "dataset.json", readable_json(_data_list(description)))
    environment = {
        "DATA_ROOT": str(description.root),
        "DATASET_JSON": "config/dataset.json",
        "PROCESSING_TASK": _TASK,
        "MMAR_CKPT_DIR": "models",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
    }
    write_text(folder / "environment.json", readable_json(environment))


def _write_commands(folder: Path) -> None:
    for name, text in command_scripts().items():
        write_text(folder / name, text)
        mode = (folder / name).stat().st_mode
        (folder / name).chmod(mode | (mode & 0o444) >> 2)


def _data_list(description: DatasetDescription) -> dict[str, Any]:
    lists = {
        "training": description.training,
        "validation": description.validation,
        "test": description.test,
    }
    return {
        "name": description.name,
        "description": description.about,
        "licence": description.licence,
        "reference": description.reference,
        "modality": {str(channel): name for channel, name in enumerate(description.modality)},
        "labels": {str(value): name for value, name in enumerate(description.class_names())},
        "numTraining": len(description.training),
        **{key: [entry.to_dict() for entry in entries] for key, entries in lists.items() if entries},
    }


def _require_cases(description: DatasetDescription) -> None:
    if not description.training or not description.validation:
        found = f"{len(description.training)} training and {len(description.validation)} validation cases"
        expected = "at least one of each"
        fault = Fault(str(description.source), "training", found=found, expected=expected, write="more labelled cases")
        raise DataError(faults=[fault])


def _require_usable(description: DatasetDescription, fingerprint: DatasetFingerprint) -> None:
    faults = list(fingerprint.disagreements)
    known = ", ".join(f"{value} {name}" for value, name in description.labels.items())
    faults += [
        Fault(
            str(description.source),
            "labels",
            found=f"the label value {value} in {fingerprint.label_cases[value]} cases",
            expected=f"only the listed ones ({known})",
            write=f'"{value}": "its name" under labels, or labels without it',
        )
        for value in fingerprint.label_voxels
        if value not in description.labels
    ]
    if not faults and not any(value > 0 for value in fingerprint.label_voxels):
        write = "labels with voxels of the listed classes"
        found = "labels without a single labelled voxel"
        faults.append(Fault(str(description.source), "training", found=found, expected=write, write=write))
    if faults:
        raise DataError(faults=faults)
