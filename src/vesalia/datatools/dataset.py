"""Recognising a data set by its ``dataset.json``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

from vesalia.datatools.decathlon import describe_decathlon, is_decathlon
from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.nnunet import describe_nnunet, is_nnunet
from vesalia.errors import DataError, Fault
from vesalia.runtime.jsonfile import read_json

__all__ = ["read_dataset"]

_FILE = "dataset.json"
_LAYOUTS = 'a Decathlon data set ("training": [...]) or an nnU-Net one ("channel_names", "labels", "file_ending")'


def read_dataset(path: Path) -> DatasetDescription:
    """Describe the data set at ``path``: its folder, or its ``dataset.json``.

    The layout is recognised: that of the Medical Segmentation Decathlon (files listed below ``training`` and, where
    there is one, ``validation``) or that of an nnU-Net version 2 raw data set (files found by their names).

    Raises:
        ConfigError: The file is not JSON.
        DataError: There is no such file, it is in neither layout, or its content is wrong.
    """
    file = _json_file(Path(path).absolute())
    content = read_json(file)
    if isinstance(content, dict):
        if is_decathlon(content):
            return describe_decathlon(file, content)
        if is_nnunet(content):
            return describe_nnunet(file, content)
    fault = Fault(
        str(file), found=_seen(content), expected=_LAYOUTS, write='"training": [{"image": ..., "label": ...}]'
    )
    raise DataError(faults=[fault])


def _json_file(path: Path) -> Path:
    file = path / _FILE if path.is_dir() else path
    if not file.is_file():
        what = f"a folder without {_FILE}" if path.is_dir() else "no such file"
        fault = Fault(str(path), found=what, expected=_LAYOUTS, write=f"the path of the data set's {_FILE}")
        raise DataError(faults=[fault])
    return file


def _seen(content: Any) -> str:
    if isinstance(content, dict):
        return "the keys " + (", ".join(map(str, content))[:80] or "none")
    return f"a JSON {type(content).__name__}"
