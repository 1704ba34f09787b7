"""DICOM series and ITK's formats: every voxel lies where ITK says it lies; broken series are told."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.datatools.itk_files import itk_image, places_mm, write_series
from vesalia.datatools.itk_file import dicom_series, read_dicom, read_itk, write_itk
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Volume

SHAPE = (5, 4, 3)
VALUES = np.arange(60, dtype=np.int16).reshape(SHAPE)
PLAIN = np.array([[-1.5, 0, 0, 10], [0, -0.75, 0, 20], [0, 0, 2.5, -30], [0, 0, 0, 1.0]])
CORNERS = list(product(*((0, size - 1) for size in SHAPE)))

orientations = st.tuples(st.sampled_from(list(permutations(range(3)))), st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))


def turned(orientation: Any, spacing: tuple[float, ...] = (1.5, 0.75, 2.5)) -> np.ndarray:
    """An affine with axes in any order and direction."""
    order, signs = orientation
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, list(order)] * np.array(signs) * np.array(spacing)
    affine[:3, 3] = [10, -20, 30]
    return affine


def at_corners(affine: np.ndarray) -> np.ndarray:
    return np.asarray(np.array(CORNERS) @ affine[:3, :3].T + affine[:3, 3])


@given(orientations)
def test_voxels_lie_where_itk_says(tmp_path_factory: pytest.TempPathFactory, orientation: Any) -> None:
    image = itk_image(VALUES, turned(orientation))
    path = tmp_path_factory.mktemp("itk") / "a.mha"
    SimpleITK.WriteImage(image, str(path))
    volume = read_itk(path)
    np.testing.assert_array_equal(volume.data.numpy(), VALUES)
    np.testing.assert_allclose(at_corners(volume.placed), places_mm(image, CORNERS), atol=1e-6)
    np.testing.assert_allclose(volume.placed, turned(orientation), atol=1e-6)


@given(orientations)
def test_what_is_written_lies_where_it_lay(tmp_path_factory: pytest.TempPathFactory, orientation: Any) -> None:
    affine = turned(orientation)
    path = tmp_path_factory.mktemp("itk") / "a.nrrd"
    write_itk(Volume(torch.from_numpy(VALUES), affine), path)
    image = SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image).T, VALUES)
    np.testing.assert_allclose(places_mm(image, CORNERS), at_corners(affine), atol=1e-6)


def oblique() -> np.ndarray:
    """Rotated by no right angle."""
    rotation = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.linalg.det(rotation) * np.array([0.9, 1.1, 3.0])
    affine[:3, 3] = [5, 6, 7]
    return affine


@pytest.mark.parametrize("affine", [PLAIN, oblique()])
def test_a_series_is_sorted_by_position(tmp_path: Path, affine: np.ndarray) -> None:
    write_series(tmp_path, VALUES, affine)
    ((number, files),) = dicom_series(tmp_path).items()
    volume = read_dicom(files)
    assert number == "1"
    assert volume.data.dtype == torch.int16
    forth = np.array_equal(volume.data.numpy(), VALUES)
    wanted = VALUES if forth else VALUES[:, :, ::-1]
    np.testing.assert_array_equal(volume.data.numpy(), wanted)
    corners = at_corners(volume.placed)
    expected = at_corners(affine) if forth else at_corners(affine).reshape(2, 2, 2, 3)[:, :, ::-1].reshape(8, 3)
    np.testing.assert_allclose(corners, expected, atol=1e-3)


def test_a_tilted_gantry_is_kept(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, PLAIN, tilt_mm=0.5)
    ((_, files),) = dicom_series(tmp_path).items()
    step = read_dicom(files).placed[:3, 2]
    np.testing.assert_allclose(np.abs(step), [0, 0.5, 2.5], atol=1e-6)


def test_several_series_in_a_folder_are_told_apart(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, PLAIN, number=3)
    write_series(tmp_path, VALUES + 100, PLAIN, number=12, name="b{:02d}.dcm")
    found = dicom_series(tmp_path)
    assert sorted(found) == ["12", "3"]
    assert read_dicom(found["12"]).data.min() == 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"leave_out": [3]}, "slices are missing, doubled"),
        ({"steps_mm": [0, 1, 1, 2, 3, 4]}, "slices are missing, doubled"),
        ({"steps_mm": [0, 0, 0, 0, 0, 0]}, "slices are missing, doubled"),
    ],
)
def test_uneven_slices_are_refused(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    write_series(tmp_path, np.zeros((4, 4, 6), np.int16), PLAIN, **arguments)
    ((_, files),) = dicom_series(tmp_path).items()
    with pytest.raises(DataError, match=said):
        read_dicom(files)


def test_slices_turned_against_each_other_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "a", VALUES, PLAIN)
    write_series(tmp_path / "b", VALUES, PLAIN[:, [1, 0, 2, 3]])
    with pytest.raises(DataError, match="turned against each other"):
        read_dicom([*sorted((tmp_path / "a").iterdir()), *sorted((tmp_path / "b").iterdir())])


def test_slices_without_a_place_are_refused(tmp_path: Path) -> None:
    for index in range(2):
        SimpleITK.WriteImage(SimpleITK.Image(4, 4, SimpleITK.sitkUInt8), str(tmp_path / f"{index}.png"))
    with pytest.raises(DataError, match="does not say where it lies"):
        read_dicom(sorted(tmp_path.iterdir()))


def test_many_slices_in_one_file_are_a_series_of_their_own(tmp_path: Path) -> None:
    for index in range(2):
        image = itk_image(VALUES.astype(np.uint8), PLAIN)
        for tag, value in {"0020|000e": "1.2.3", "0008|0018": f"1.2.3.{index}"}.items():
            image.SetMetaData(tag, value)
        writer = SimpleITK.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(tmp_path / f"{index}.dcm"))
        writer.Execute(image)
    found = dicom_series(tmp_path)
    assert sorted(found) == ["0", "0_2"]
    volume = read_dicom(found["0"])
    np.testing.assert_array_equal(volume.data.numpy(), VALUES)


def test_a_broken_slice_is_named(tmp_path: Path) -> None:
    write_series(tmp_path, VALUES, PLAIN)
    ((_, files),) = dicom_series(tmp_path).items()
    files[1].write_bytes(files[1].read_bytes()[:-20])
    with pytest.raises(DataError, match="found no image that ITK can read"):
        read_dicom(files)


@pytest.mark.parametrize(("content", "said"), [(None, "found no such file"), ("text", "found no image that ITK can")])
def test_what_is_no_image(tmp_path: Path, content: str | None, said: str) -> None:
    if content:
        (tmp_path / "a.mha").write_text(content)
    with pytest.raises(DataError, match=said):
        read_itk(tmp_path / "a.mha")


@pytest.mark.parametrize("dims", [2, 3])
def test_components_and_time_points_become_channels(tmp_path: Path, dims: int) -> None:
    shape = (3, 4, 5)[:dims]
    values = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    parts = SimpleITK.GetImageFromArray(
        np.ascontiguousarray(values.transpose(*range(dims - 1, -1, -1), dims)), isVector=True
    )
    SimpleITK.WriteImage(parts, str(tmp_path / "a.mha"))
    volume = read_itk(tmp_path / "a.mha")
    assert (volume.channel, volume.spatial_shape) == ("last", shape)
    np.testing.assert_array_equal(volume.data.numpy(), values)


@pytest.mark.parametrize("times", [1, 2])
def test_a_fourth_axis(tmp_path: Path, times: int) -> None:
    values = np.random.default_rng(0).random((times, 5, 4, 3)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=False), str(tmp_path / "a.mha"))
    volume = read_itk(tmp_path / "a.mha")
    assert volume.spatial_shape == (3, 4, 5)
    np.testing.assert_array_equal(volume.as_batch()[0].numpy(), values.transpose(0, 3, 2, 1))


def test_four_axes_with_components_are_refused(tmp_path: Path) -> None:
    SimpleITK.WriteImage(SimpleITK.Image([3, 4, 5, 2], SimpleITK.sitkVectorFloat32, 2), str(tmp_path / "a.mha"))
    with pytest.raises(DataError, match="found 4 axes and components"):
        read_itk(tmp_path / "a.mha")


@pytest.mark.parametrize(("stored", "held"), [("uint16", torch.int32), ("uint32", torch.int64), ("uint8", torch.uint8)])
def test_types_that_torch_only_stores_are_widened(tmp_path: Path, stored: str, held: torch.dtype) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VALUES.astype(stored)), str(tmp_path / "a.mha"))
    volume = read_itk(tmp_path / "a.mha")
    assert volume.data.dtype is held
    assert volume.source is not None
    assert volume.source.dtype == stored


@pytest.mark.parametrize("channels", [1, 2])
def test_writing_keeps_channels_and_2d(tmp_path: Path, channels: int) -> None:
    data = torch.rand(channels, 4, 3)
    write_itk(Volume(data, np.diag([-2.0, -3.0, 1.0, 1.0]), "first"), tmp_path / "a.mha")
    back = read_itk(tmp_path / "a.mha")
    assert torch.equal(back.as_batch()[0], data)
    assert back.spacing_mm == (2.0, 3.0)


def test_a_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found a batch"):
        write_itk(Volume(torch.zeros(2, 1, 3, 3, 3), channel="first", batched=True), tmp_path / "a.mha")


def test_without_simple_itk_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(ConfigError, match=r"write pip install 'vesalia\[dicom\]'"):
        read_itk(tmp_path / "a.mha")
