"""LoadJpg: grey without a channel axis, colours last."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.load.load_jpg import LoadJpg


@pytest.mark.parametrize(("mode", "channel", "shape"), [("L", "none", (8, 16)), ("RGB", "last", (8, 16, 3))])
def test_layout(tmp_path: Path, mode: str, channel: str, shape: tuple[int, ...]) -> None:
    Image.fromarray(np.full((8, 16), 200, dtype=np.uint8)).convert(mode).save(tmp_path / "a.jpg", quality=100)
    image = LoadJpg("image").apply(Sample(files={"image": (tmp_path / "a.jpg",)}), NOTHING)["image"]
    assert (image.channel, tuple(image.data.shape)) == (channel, shape)
    np.testing.assert_allclose(image.data.numpy(), 200, atol=2)


def test_a_note_to_turn_it_is_not_followed(tmp_path: Path) -> None:
    notes = Image.Exif()
    notes[0x0112] = 6
    Image.fromarray(np.zeros((8, 16), dtype=np.uint8)).save(tmp_path / "a.jpg", exif=notes)
    image = LoadJpg("image").apply(Sample(files={"image": (tmp_path / "a.jpg",)}), NOTHING)["image"]
    assert image.spatial_shape == (8, 16)


def test_a_field_without_a_file_is_refused() -> None:
    with pytest.raises(DataError, match="no file for field 'image'"):
        LoadJpg("image").apply(Sample(), NOTHING)
