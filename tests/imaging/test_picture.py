"""PNG and JPEG: rows first, stored values, colours last; what is written is read back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vesalia.errors import DataError
from vesalia.imaging.orientation import axis_codes
from vesalia.imaging.picture import picture_affine, read_picture, write_picture
from vesalia.imaging.volume import Volume

GREY = np.arange(6, dtype=np.uint8).reshape(2, 3)
COLOUR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


def save(path: Path, pixels: Any, mode: str | None = None) -> Path:
    picture = Image.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path)
    return path


def test_rows_first(tmp_path: Path) -> None:
    volume = read_picture([save(tmp_path / "a.png", GREY)])
    assert (volume.channel, volume.data.dtype) == ("none", torch.float32)
    np.testing.assert_array_equal(volume.data.numpy(), GREY)


def test_it_lies_as_itk_and_radiology_have_it(tmp_path: Path) -> None:
    volume = read_picture([save(tmp_path / "a.png", GREY)])
    assert axis_codes(volume.placed, dims=2) == "PL"
    assert volume.spacing_mm == (1.0, 1.0)
    assert volume.source is not None
    assert volume.source.paths == (tmp_path / "a.png",)
    assert volume.source.grid.shape == (2, 3)
    assert np.linalg.det(picture_affine()) != 0


def test_colours_come_last_and_transparency_goes(tmp_path: Path) -> None:
    for pixels in (COLOUR, np.dstack([COLOUR, GREY])):
        volume = read_picture([save(tmp_path / "a.png", pixels)])
        assert volume.channel == "last"
        np.testing.assert_array_equal(volume.data.numpy(), COLOUR)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_jpeg_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    even = np.full((8, 16, 3), 77, dtype=np.uint8)
    Image.fromarray(even).save(tmp_path / name, format="JPEG", quality=100)
    np.testing.assert_allclose(read_picture([tmp_path / name]).data.numpy(), even, atol=2)


def test_grey_with_transparency(tmp_path: Path) -> None:
    volume = read_picture([save(tmp_path / "a.png", np.dstack([GREY, GREY]))])
    assert volume.channel == "none"
    np.testing.assert_array_equal(volume.data.numpy(), GREY)


def test_sixteen_bits(tmp_path: Path) -> None:
    deep = GREY.astype(np.uint16) * 10000
    volume = read_picture([save(tmp_path / "a.png", deep)])
    np.testing.assert_array_equal(volume.data.numpy(), deep)
    assert volume.source is not None
    assert volume.source.dtype == "uint16"


def test_a_single_bit_is_0_or_1(tmp_path: Path) -> None:
    volume = read_picture([save(tmp_path / "a.png", GREY * 85, "1")])
    assert set(np.unique(volume.data)) <= {0, 1}


def test_a_palette_gives_colours_or_numbers(tmp_path: Path) -> None:
    picture = Image.fromarray(GREY % 2).convert("P")
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.putdata((GREY % 2).flatten())
    picture.save(tmp_path / "a.png")
    colours = read_picture([tmp_path / "a.png"])
    assert colours.data[0, 0].tolist() == [255, 0, 0]
    np.testing.assert_array_equal(read_picture([tmp_path / "a.png"], palette="indices").data.numpy(), GREY % 2)


def test_several_files_become_channels(tmp_path: Path) -> None:
    paths = [save(tmp_path / "a.png", GREY), save(tmp_path / "b.png", COLOUR)]
    volume = read_picture(paths)
    np.testing.assert_array_equal(volume.data.numpy(), np.dstack([GREY, COLOUR]))
    assert volume.source is not None
    assert volume.source.paths == tuple(paths)


def test_several_files_of_other_sizes(tmp_path: Path) -> None:
    paths = [save(tmp_path / "a.png", GREY), save(tmp_path / "b.png", GREY.T.copy())]
    with pytest.raises(DataError, match=r"b.png: found 3 x 2 pixels, expected 2 x 3 pixels as .*a.png has"):
        read_picture(paths)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a.png: found no such file"):
        read_picture([tmp_path / "a.png"])


def test_damage_and_other_formats_are_told(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (50, 50), dtype=np.uint8)).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(GREY).save(tmp_path / "bitmap.png", format="BMP")
    for name in ("cut.png", "text.png", "bitmap.png"):
        with pytest.raises(DataError, match=f"{name}: found no readable PNG or JPEG"):
            read_picture([tmp_path / name])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["none", "first", "last"]), st.sampled_from(["uint8", "uint16"]))
def test_a_label_map_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    channel: Literal["none", "first", "last"],
    dtype: Literal["uint8", "uint16"],
) -> None:
    data = torch.randint(0, 256, (4, 5), generator=torch.Generator().manual_seed(seed))
    shaped = {"none": data, "first": data[None], "last": data[..., None]}[channel]
    path = tmp_path_factory.mktemp("picture") / "a.png"
    write_picture(Volume(shaped, picture_affine(), channel), path, dtype=dtype)
    assert torch.equal(read_picture([path]).data.long(), data)


def test_colours_are_written(tmp_path: Path) -> None:
    data = torch.from_numpy(COLOUR.astype(np.float32) + 0.25)
    write_picture(Volume(data, channel="last"), tmp_path / "a.png", dtype="uint8")
    np.testing.assert_array_equal(read_picture([tmp_path / "a.png"]).data.numpy(), COLOUR)


def test_a_single_slice_counts_as_2d(tmp_path: Path) -> None:
    write_picture(Volume(torch.from_numpy(GREY)[..., None]), tmp_path / "a.png", dtype="uint8")
    np.testing.assert_array_equal(read_picture([tmp_path / "a.png"]).data.numpy(), GREY)


@pytest.mark.parametrize(
    ("volume", "dtype", "said"),
    [
        (Volume(torch.zeros(2, 3, 4)), "uint8", "found a volume of 2 x 3 x 4 voxels, expected a 2D image"),
        (Volume(torch.zeros(2, 3, 4), channel="first"), "uint8", "found 2 channels"),
        (Volume(torch.zeros(3, 3, 4), channel="first"), "uint16", "found 3 channels for a PNG of uint16"),
        (Volume(torch.full((3, 4), 256.0)), "uint8", "expected 0 to 255"),
        (Volume(torch.zeros(2, 1, 3, 4), channel="first", batched=True), "uint8", "found a batch"),
    ],
)
def test_what_no_png_can_hold_is_refused(
    tmp_path: Path, volume: Volume, dtype: Literal["uint8", "uint16"], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        write_picture(volume, tmp_path / "a.png", dtype=dtype)
    assert list(tmp_path.iterdir()) == []
