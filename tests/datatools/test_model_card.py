"""The model card: facts filled in, judgements asked for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from tests.datatools.fingerprints import described, measured, sized
from vesalia.datatools.description import DatasetEntry
from vesalia.datatools.model_card import model_card


def card(modality: str = "CT") -> str:
    return model_card(described(modality=modality), fingerprint=measured(), sizes=sized(modality=modality))


def test_every_heading_is_there() -> None:
    headings = [line for line in card().splitlines() if line.startswith("#")]
    assert headings == [
        "# Some: segmentation of liver and Left kidney",
        "## Task",
        "## Data",
        "## Intended use",
        "## Limits",
        "## Results",
        "## How it was trained",
        "## Commands",
    ]


def test_classes_with_their_counts() -> None:
    assert "| 1 | liver | 3 | 8 |\n| 2 | Left kidney | 1 | 2 |" in card()


def test_metrics_are_left_to_fill_in() -> None:
    assert card().count("| `<fill in>` | `<fill in>` |") == 3


def test_what_is_not_known_is_asked_for_and_what_is_known_is_said() -> None:
    assert "Licence of the data: `<fill in>`" in card()
    known = replace(described(), licence="CC0-1.0", about="Cubes", test=(DatasetEntry(("t.nii.gz",)),))
    text = model_card(known, fingerprint=measured(), sizes=sized())
    assert "Licence of the data: CC0-1.0." in text
    assert "Cubes" in text
    assert "20 for training, 5 for validation, 1 without labels" in text


def test_intensities_in_words() -> None:
    assert "densities from -20 to 211 HU" in card()
    assert "mean 0 and deviation 1" in card("MRI")


def test_sides_and_axes_in_words() -> None:
    assert "Crops are not reversed at random" in card()
    mixed = replace(measured(), orientations=("LPS", "RAS"))
    sizes = replace(sized(), is_canonical=True, is_mirrored=True)
    text = model_card(described(), fingerprint=mixed, sizes=sizes)
    assert "* Axes turned towards R, A, S, as those of the files point LPS and RAS;" in text
    assert "Crops are reversed along each axis at random" in text
    assert "Axes turned" not in card()


def test_channels_in_words() -> None:
    assert "1 channel." in card()
    text = model_card(described(), fingerprint=measured(), sizes=replace(sized(), channels=4))
    assert "4 channels." in text
