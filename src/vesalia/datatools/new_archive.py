"""Writing a ready MMAR for a data set."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vesalia.datatools.classification_template import (
    classification_card,
    classification_evaluate_config,
    classification_train_config,
)
from vesalia.datatools.command_templates import LOG_CONFIG, command_scripts
from vesalia.datatools.dataset import read_dataset
from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.evaluate_template import evaluate_config
from vesalia.datatools.labelled_pictures import read_labelled_pictures
from vesalia.datatools.model_card import model_card
from vesalia.datatools.picture_scan import scan_pictures
from vesalia.datatools.readable_json import readable_json
from vesalia.datatools.scan import DatasetFingerprint, scan
from vesalia.datatools.sizing import choose_sizes
from vesalia.datatools.train_template import train_config
from vesalia.datatools.whole_folder import refuse_occupied, whole_folder
from vesalia.errors import ConfigError, DataError, Fault
from vesalia.mmar.archive import FOLDERS
from vesalia.runtime.files import write_text
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["new_archive"]

_Progress = Callable[[int, int], None] | None


def new_archive(
    folder: Path,
    *,
    data: Path,
    task: str = "segmentation",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write an MMAR that trains, validates and infers on ``data`` as it stands.

    Voxel size, intensities, crop, network, batch and cache come from a scan of the data and the memory of this machine.

    Args:
        folder: Where to write; must be missing or empty. It is whole or not there.
        data: For a segmentation a Decathlon data set or an nnU-Net version 2 raw data set: its folder or its
            ``dataset.json``. For a classification a data list of pictures whose labels are numbers, or a folder with a
            folder of pictures per class.
        task: What the model does: ``segmentation`` or ``classification``.
        progress: Called during the scan with (cases done, cases in all).

    Returns:
        The folder.

    Raises:
        ConfigError: ``task`` is not known.
        UserError: The folder holds something already.
        DataError: The data set is in no known layout, is damaged, or its images and labels disagree.
    """
    if task not in _TASKS:
        known = " or ".join(map(repr, _TASKS))
        raise ConfigError(f"task: found {task!r}, expected {known}; write --task {next(iter(_TASKS))}")
    refuse_occupied(folder)
    files = _TASKS[task](data, progress)
    with whole_folder(folder) as draft:
        for name in FOLDERS:
            (draft / name).mkdir()
        for name, text in files.items():
            write_text(draft / name, text)
        _write_commands(draft / "commands")
        write_text(draft / "resources" / "log.config", LOG_CONFIG)
    return folder


def _segmentation(data: Path, progress: _Progress) -> dict[str, str]:
    description = read_dataset(data)
    _require_cases(description)
    fingerprint = scan(description, progress)
    _require_usable(description, fingerprint)
    sizes = choose_sizes(description, fingerprint, memory_bytes=available_memory_bytes())
    return {
        "config/config_train.json": readable_json(train_config(sizes)),
        "config/config_validation.json": readable_json(evaluate_config(sizes, description.class_names())),
        "config/dataset.json": readable_json(_data_list(description)),
        "config/environment.json": _environment(description.root, "segmentation"),
        "docs/README.md": model_card(description, fingerprint=fingerprint, sizes=sizes),
    }


def _classification(data: Path, progress: _Progress) -> dict[str, str]:
    pictures = read_labelled_pictures(data)
    sizes = scan_pictures(pictures, memory_bytes=available_memory_bytes(), progress=progress)
    return {
        "config/config_train.json": readable_json(classification_train_config(pictures, sizes)),
        "config/config_validation.json": readable_json(classification_evaluate_config(pictures, sizes)),
        "config/dataset.json": readable_json(pictures.data_list()),
        "config/environment.json": _environment(pictures.root, "classification"),
        "docs/README.md": classification_card(pictures, sizes),
    }


_TASKS: Mapping[str, Callable[[Path, _Progress], dict[str, str]]] = {
    "segmentation": _segmentation,
    "classification": _classification,
}


def _environment(root: Path, task: str) -> str:
    environment = {
        "DATA_ROOT": str(root),
        "DATASET_JSON": "config/dataset.json",
        "PROCESSING_TASK": task,
        "MMAR_CKPT_DIR": "models",
        "MMAR_EVAL_OUTPUT_PATH": "eval",
    }
    return readable_json(environment)


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
