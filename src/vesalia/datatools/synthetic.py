"""Small data sets in the Decathlon layout whose truth is known: CT-like volumes with organs, pictures with findings."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

from vesalia.datatools.findings_phantom import FINDINGS, draw_radiograph
from vesalia.datatools.phantom import LABELS, draw_case
from vesalia.datatools.whole_folder import whole_folder
from vesalia.errors import ConfigError
from vesalia.runtime.files import write_json, write_text

__all__ = ["synthesize"]

_RECIPE_VERSION = 1
_SMALLEST = 16
_LICENCE = "CC0-1.0"
_TASKS = ("segmentation", "classification")
_DESCRIPTION = "Drawn abdomens with liver, spleen and kidneys; no patient's data, for demonstrations and tests only"
_README = """# Synthetic abdomen

{cases} drawn volumes that look like small abdominal CT scans, made by `vesalia data synthesize` from the seed {seed}.
No patient's data went into them. They serve demonstrations and tests; a model trained on them is of no clinical use.

* `imagesTr/`: densities in Hounsfield units, int16; `labelsTr/`: 0 background, 1 liver, 2 spleen, 3 kidneys (both).
* `dataset.json`: the lists `training` ({training} cases) and `validation` ({validation} cases).
* x is stored left to right in some cases and right to left in others; the affine in each file says which.

Licence: CC0 1.0 (public domain dedication), https://creativecommons.org/publicdomain/zero/1.0/
"""
_PICTURES_README = """# Synthetic chest radiographs

{cases} drawn pictures that look a little like chest radiographs, made by `vesalia data synthesize --task
classification` from the seed {seed}. No patient's data went into them. They serve demonstrations and tests; a model
trained on them is of no clinical use.

* `images/`: grey PNG files of 8 bits.
* `dataset.json`: the lists `training` ({training} pictures) and `validation` ({validation} pictures). The label of each
  is a vector of 0 and 1: nodule, effusion, catheter.

Licence: CC0 1.0 (public domain dedication), https://creativecommons.org/publicdomain/zero/1.0/
"""


def synthesize(
    folder: Path,
    *,
    cases: int,
    size: int,
    seed: int,
    task: str = "segmentation",
    validation_fraction: float = 0.25,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Make a data set of drawn abdomens with liver (1), spleen (2) and both kidneys (3) as labels, or of radiographs.

    The same arguments give the same bytes. The folder is whole or not there; a folder that already holds this very
    data set is left as it is.

    Args:
        folder: Where to write; must be missing, empty, or made by the same arguments before.
        cases: Number of volumes, at least 2.
        size: Voxels along x and y (give or take 5 %); z has three quarters of that. The field of view is always
            about 192 x 192 x 144 mm, so 64 gives voxels of about 3 mm.
        seed: Decides everything that varies.
        task: ``segmentation`` for abdomens, ``classification`` for 2D chest radiographs with three findings.
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
    if task not in _TASKS:
        raise ConfigError(f"task: found {task!r}, expected one of {', '.join(_TASKS)}; write {_TASKS[0]!r}")
    pictured = task == "classification"
    recipe |= {"findings": len(FINDINGS)} if pictured else {}
    if _holds(folder, recipe):
        return folder
    with whole_folder(folder) as draft:
        draw = _draw_picture if pictured else _draw_volume
        entries = []
        for index in range(cases):
            entries.append(draw(draft, np.random.default_rng((seed, index)), index=index, cases=cases, size=size))
            if progress is not None:
                progress(index + 1, cases)
        facts = _PICTURES if pictured else _VOLUMES
        lists = {"training": entries[: cases - held_out], "validation": entries[cases - held_out :]}
        count = {"numTraining": cases - held_out, "recipe": recipe}
        write_json(draft / "dataset.json", {**facts, "licence": _LICENCE, **count, **lists})
        text = (_PICTURES_README if pictured else _README).format(
            cases=cases, seed=seed, training=cases - held_out, validation=held_out
        )
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


def _name(kind: str, *, index: int, cases: int) -> str:
    return f"{kind}_{index + 1:0{max(3, len(str(cases)))}d}"


def _draw_volume(folder: Path, rng: np.random.Generator, *, index: int, cases: int, size: int) -> dict[str, Any]:
    """Write one abdomen and its label; gives its entry of the data list."""
    name, case = _name("abdomen", index=index, cases=cases), draw_case(rng, size=size)
    entry = {"image": f"imagesTr/{name}.nii.gz", "label": f"labelsTr/{name}.nii.gz"}
    for part, data in (("image", case.image), ("label", case.label)):
        path = folder / entry[part]
        path.parent.mkdir(exist_ok=True)
        image = nib.Nifti1Image(data, case.affine)
        image.header.set_xyzt_units("mm")
        nib.save(image, path)
    return entry


def _draw_picture(folder: Path, rng: np.random.Generator, *, index: int, cases: int, size: int) -> dict[str, Any]:
    """Write one radiograph; gives its entry of the data list, the findings included."""
    picture, findings = draw_radiograph(rng, size=size)
    path = f"images/{_name('chest', index=index, cases=cases)}.png"
    (folder / "images").mkdir(exist_ok=True)
    Image.fromarray(picture).save(folder / path, format="PNG")
    return {"image": path, "label": list(findings)}


_VOLUMES = {
    "name": "SyntheticAbdomen",
    "description": _DESCRIPTION,
    "tensorImageSize": "3D",
    "modality": {"0": "CT"},
    "labels": {str(number): name for number, name in LABELS.items()},
}
_PICTURES = {
    "name": "SyntheticChest",
    "description": "Drawn chest radiographs with findings; no patient's data, for demonstrations and tests only",
    "tensorImageSize": "2D",
    "modality": {"0": "XR"},
    "labels": {str(number): name for number, name in enumerate(FINDINGS)},
    "label_format": [1] * len(FINDINGS),
}
