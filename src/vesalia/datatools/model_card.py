"""``docs/README.md`` of a new archive: a model card whose facts are filled in and whose judgements are asked for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.scan import DatasetFingerprint
from vesalia.datatools.sizing import MODEL, Sizes

__all__ = ["model_card"]

_CARD = """\
# {name}: segmentation of {targets}

Words in `<angle brackets>` are for you to replace.

## Task

Segmentation of {targets} in {modality} images. Each voxel gets one of the classes below.

| value | class | cases with it | voxels |
|---|---|---|---|
{classes}

## Data

* Data set: {name}. {about}
* Source: {reference}
* Licence of the data: {licence}. A model trained on it may have to carry that licence; say so here.
* Cases: {training} for training, {validation} for validation{test}; the lists are in `config/dataset.json`.
* Median voxel: {spacing} mm; median volume: {shape} voxels; {channels}.
* How cases were chosen, and who drew the labels: `<fill in>`

## Intended use

`<Who uses it, on which images, for which decision; research only until shown otherwise.>`

## Limits

`<Scanners, protocols, ages and diseases that the data lacks; known failures.>` Images unlike those above may be
segmented wrongly without warning. Not a medical device.

## Results

| metric | value | cases |
|---|---|---|
{metrics}

Fill these in from `eval/` after `commands/validate.sh`. Cases that chose the best model are no independent test.

## How it was trained

* {axes}Resampled to {target} mm; {intensity}.
* {model} (widths {encoder} / {decoder}), crops of {crop} voxels, {batch} per step, {epochs} epochs, Adam, cross entropy
  plus Dice; the details are in `config/config_train.json`.
* {mirrored}
* Hardware, time, and version of Vesalia: `<fill in>`; the run's manifest below `models/` has them.

## Commands

    commands/train.sh                 # train
    commands/validate.sh              # judge on the validation cases
    commands/infer.sh                 # write predictions
"""
_MIRRORED = "Crops are reversed along each axis at random: the model does not know one side of the body from the other."
_NOT_MIRRORED = (
    "Crops are not reversed at random, as classes are told apart by their side: a mirror image of one is the other."
)


def model_card(description: DatasetDescription, *, fingerprint: DatasetFingerprint, sizes: Sizes) -> str:
    """The card's Markdown text."""
    names = description.class_names()
    return _CARD.format(
        name=description.name,
        targets=_listed(names[1:]),
        modality=", ".join(dict.fromkeys(description.modality)),
        classes=_classes(names, fingerprint),
        about=description.about or "`<what the images show>`",
        reference=description.reference or "`<fill in>`",
        licence=description.licence or "`<fill in>`",
        training=len(description.training),
        validation=len(description.validation),
        test=f", {len(description.test)} without labels" if description.test else "",
        spacing=_times(fingerprint.median_spacing_mm),
        shape=_times(fingerprint.median_shape(fingerprint.median_spacing_mm)),
        channels="1 channel" if sizes.channels == 1 else f"{sizes.channels} channels",
        metrics="\n".join(f"| Dice, {name} | `<fill in>` | `<fill in>` |" for name in ("mean", *names[1:])),
        target=_times(sizes.spacing_mm),
        intensity=_intensity(sizes),
        axes=_axes(fingerprint),
        mirrored=_MIRRORED if sizes.is_mirrored else _NOT_MIRRORED,
        model=MODEL,
        encoder=sizes.widths["nf_enc"],
        decoder=sizes.widths["nf_dec"],
        crop=_times(sizes.crop),
        batch=sizes.crops_per_item * sizes.items_per_batch,
        epochs=sizes.epochs,
    )


def _classes(names: Sequence[str], fingerprint: DatasetFingerprint) -> str:
    return "\n".join(
        f"| {value} | {name} | {fingerprint.label_cases.get(value, 0)} | {fingerprint.label_voxels.get(value, 0)} |"
        for value, name in enumerate(names)
    )


def _axes(fingerprint: DatasetFingerprint) -> str:
    if not fingerprint.is_mixed:
        return ""
    found = _listed(fingerprint.orientations)
    return f"Axes turned towards R, A, S, as those of the files point {found}; the sizes here are in that order. "


def _intensity(sizes: Sizes) -> str:
    if sizes.window_hu is None:
        return "each image's non-zero voxels brought to mean 0 and deviation 1"
    low, high = sizes.window_hu
    return f"densities from {low:g} to {high:g} HU mapped to 0..1, what lies outside cut off"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _times(values: Sequence[float]) -> str:
    return " x ".join(f"{value:.3g}" for value in values)
