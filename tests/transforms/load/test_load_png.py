"""LoadPng: fields to 2D volumes, palettes, and the way through the usual chain."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.compose import Compose
from vesalia.transforms.load.load_png import LoadPng
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.fixture
def start(tmp_path: Path) -> Sample:
    Image.fromarray(np.dstack([GREY] * 3)).save(tmp_path / "image.png")
    Image.fromarray(GREY % 2).save(tmp_path / "label.png")
    files = {name: (tmp_path / f"{name}.png",) for name in ("image", "label")}
    return Sample(name="s", files=files)


def test_fields_are_read_as_stored(start: Sample) -> None:
    sample = LoadPng("image, label").apply(start, NOTHING)
    assert (sample["image"].channel, sample["label"].channel) == ("last", "none")
    np.testing.assert_array_equal(sample["label"].data.numpy(), GREY % 2)
    assert LoadPng("image").deterministic


def test_the_usual_chain_follows(start: Sample) -> None:
    fields = ["image", "label"]
    chain = Compose(
        [
            LoadPng(fields),
            ConvertToChannelsFirst(fields),
            ScaleByResolution("image", target_resolution=(0.5, 0.5)),
            ScaleByResolution("label", target_resolution=(0.5, 0.5), is_label=True),
        ]
    )
    sample = chain(start, torch.Generator())
    assert sample["image"].data.shape == (3, 6, 8)
    assert sample["label"].grid.matches(sample["image"].grid)


def test_a_label_drawn_with_a_palette(tmp_path: Path) -> None:
    picture = Image.fromarray(GREY % 3).convert("P")
    picture.save(tmp_path / "label.png")
    sample = LoadPng("label", palette="indices").apply(Sample(files={"label": (tmp_path / "label.png",)}), NOTHING)
    np.testing.assert_array_equal(sample["label"].data.numpy(), GREY % 3)


def test_a_field_without_a_file_is_refused(start: Sample) -> None:
    with pytest.raises(DataError, match="no file for field 'mask'"):
        LoadPng("mask").apply(start, NOTHING)
