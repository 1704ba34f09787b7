"""A small CT-like data set in the Decathlon layout, with organs that are known exactly."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from vesalia.datatools.phantom import LABELS, PhantomCase, draw_case
from vesalia.datatools.whole_folder import whole_folder
from vesalia.errors import ConfigError
from vesalia.runtime.files import write_json, write_text

__all__ = ["synthesize"]

_RECIPE_VERSION = 1
_SMALLEST = 16
_LICENCE = "CC0-1.0"
_DESCRIPTION = "Drawn abdomens with liver, spleen and kidneys; no patient's data, for demonstrations and tests only"
_README = """# Synthetic abdomen

{cases} drawn volumes that look like small abdominal CT scans, made by `vesalia data synthesize` from the seed {seed}.
No patient's data went into them. They serve demonstrations and tests; a model trained on them is of no clinical use.

* `imagesTr/`: densities in Hounsfield units, int16; `labelsTr/`: 0 background, 1 liver, 2 spleen, 3 kidneys (both).
* `dataset.json`: the lists `training` ({training} cases) and `validation` ({validation} cases).
* x is stored left to right in some cases and right to left in others; the affine in each file says which.

Licence: CC0 1.0 (public domain dedication), https://creativecommons.org/publicdomain/zero/1.0/
"""


def synthesize(
    folder: Path,
    *,
    cases: int,
    size: int,
    seed: int,
    validation_fraction: float = 0.25,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a data set of drawn abdomens with liver (1), spleen (2) and both kidneys (3) as labels.

    The same arguments give the same bytes. The folder is whole or not there; a folder that already holds this very
    data set is left as it is.

    Args:
        folder: Where to write; must be missing, empty, or made by the same arguments before.
        cases: Number of volumes, at least 2.
        size: Voxels along x and y (give or take 5 %); z has three quarters of that. The field of view is always
            about 192 x 192 x 144 mm, so 64 gives voxels of about 3 mm.
        seed: Decides everything that varies.
        validation_fraction: Part of the cases that ``dataset.json`` lists under ``validation``.
        progress: Called after each case with (cases done, cases in all).

    Returns:
        The folder.

    Raises:
        ConfigError: An argument is out of range.
        UserError: The folder holds something else.
    """
    held_out = _held_out(cases=cases, size=size, validation_fraction=validation_fraction)
    recipe = {"version": _RECIPE_VERSION, "cases": cases, "size": size, "seed": seed, "validation": held_out}
    if _holds(folder, recipe):
        return folder
    with whole_folder(folder) as draft:
        for index in range(cases):
            case = draw_case(np.random.default_rng((seed, index)), size=size)
            _write_case(draft, _case_name(index, cases), case)
            if progress is not None:
                progress(index + 1, cases)
        write_json(draft / "dataset.json", _data_list(cases, held_out, recipe=recipe))
        text = _README.format(cases=cases, seed=seed, training=cases - held_out, validation=held_out)
        write_text(draft / "README.md", text)
    return folder


def _held_out(*, cases: int, size: int, validation_fraction: float) -> int:
    if cases < 2:
        raise ConfigError(f"cases: found {cases}, expected at least 2; write 20 for a small demonstration")
    if size < _SMALLEST:
        raise ConfigError(f"size: found {size} voxels, expected at least {_SMALLEST}; write 64")
    if not 0 <= validation_fraction < 1:
        raise ConfigError(f"validation_fraction: found {validation_fraction}, expected 0 to below 1; write 0.25")
    if not validation_fraction:
        return 0
    return min(cases - 1, max(1, round(cases * validation_fraction)))


def _holds(folder: Path, recipe: dict[str, int]) -> bool:
    """Whether the folder is the result of this recipe (folders appear whole, so the recipe is proof enough)."""
    try:
        found = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("recipe") == recipe


def _case_name(index: int, cases: int) -> str:
    return f"abdomen_{index + 1:0{max(3, len(str(cases)))}d}"


def _write_case(folder: Path, name: str, case: PhantomCase) -> None:
    for part, data in (("imagesTr", case.image), ("labelsTr", case.label)):
        path = folder / part / f"{name}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        image = nib.Nifti1Image(data, case.affine)
        image.header.set_xyzt_units("mm")
        nib.save(image, path)


def _data_list(cases: int, held_out: int, *, recipe: dict[str, int]) -> dict[str, Any]:
    names = [_case_name(index, cases) for index in range(cases)]
    entries = [{"image": f"imagesTr/{name}.nii.gz", "label": f"labelsTr/{name}.nii.gz"} for name in names]
    return {
        "name": "SyntheticAbdomen",
        "description": _DESCRIPTION,
        "licence": _LICENCE,
        "tensorImageSize": "3D",
        "modality": {"0": "CT"},
        "labels": {str(number): name for number, name in LABELS.items()},
        "numTraining": cases - held_out,
        "recipe": recipe,
        "training": entries[: cases - held_out],
        "validation": entries[cases - held_out :],
    }
