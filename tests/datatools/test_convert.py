"""Conversion: geometry in any orientation, types, going on after a stop, and faults at the end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.datatools.itk_files import itk_image, write_series
from vesalia.datatools.convert import Conversion, ConvertResult, convert
from vesalia.datatools.itk_file import read_itk
from vesalia.errors import ConfigError, DataError, Interrupted
from vesalia.imaging.nifti import read_volume
from vesalia.runtime.interrupts import StopRequest

DICOM = Path(__file__).resolve().parents[3] / "shared" / "data" / "dicom"


def run(source: Path, destination: Path, **how: Any) -> ConvertResult:
    return convert(source, destination, how=Conversion(**how))


def save(path: Path, values: np.ndarray, affine: Any = None, **header: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(values, np.diag([-1.0, 2.0, 3.0, 1.0]) if affine is None else affine)
    if header:
        image.header.set_slope_inter(header["slope"], header["intercept"])
    nib.save(image, path)


def load(path: Path) -> nib.Nifti1Image:
    image = nib.load(path)
    assert isinstance(image, nib.Nifti1Image)
    return image


placements = st.tuples(
    st.permutations(range(3)),
    st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3),
    st.tuples(*[st.sampled_from([0.7, 1.0, 1.3, 2.0])] * 3),
    st.sampled_from([(1.0,), (0.8,), (1.5, 1.0, 0.6)]),
)


def affine_of(order: list[int], signs: tuple[float, ...], spacing: tuple[float, ...]) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, order] * np.array(signs) * np.array(spacing)
    affine[:3, 3] = [12, -34, 56]
    return affine


@given(placements)
def test_every_voxel_keeps_its_place(tmp_path_factory: pytest.TempPathFactory, placement: Any) -> None:
    order, signs, spacing, target = placement
    folder = tmp_path_factory.mktemp("convert")
    affine = affine_of(order, signs, spacing)
    index = np.stack(np.meshgrid(*map(np.arange, (8, 7, 6)), indexing="ij"), axis=-1)
    millimetres = index @ affine[:3, :3].T + affine[:3, 3]
    for axis, name in enumerate("xyz"):
        save(folder / "in" / f"{name}.nii", millimetres[..., axis].astype(np.float32), affine)
    run(folder / "in", folder / "out", suffix=".nii", spacing_mm=target)
    for axis, name in enumerate("xyz"):
        done = load(folder / "out" / f"{name}.nii.gz")
        shape = [
            max(1, round(size * step / wanted))
            for size, step, wanted in zip((8, 7, 6), spacing, target * 3, strict=False)
        ]
        np.testing.assert_allclose(done.shape, shape, atol=1)
        np.testing.assert_allclose(
            nib.affines.voxel_sizes(done.affine), np.array((8, 7, 6)) * spacing / done.shape, rtol=1e-5
        )
        inner = tuple(slice(1, -1) for _ in range(3))
        places = np.stack(np.meshgrid(*map(np.arange, done.shape), indexing="ij"), axis=-1)[inner]
        wanted = places @ done.affine[:3, :3].T + done.affine[:3, 3]
        low = (places @ done.affine[:3, :3].T + done.affine[:3, 3] - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T
        inside = ((low >= 0) & (low <= np.array((7, 6, 5)))).all(axis=-1)
        np.testing.assert_allclose(done.get_fdata()[inner][inside], wanted[..., axis][inside], atol=1e-3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_from_another_format_without_resampling(tmp_path: Path, order: Any) -> None:
    from SimpleITK import WriteImage

    affine = affine_of(list(order), (-1.0, 1.0, -1.0), (0.5, 1.5, 2.5))
    values = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
    (tmp_path / "in").mkdir()
    WriteImage(itk_image(values, affine), str(tmp_path / "in" / "a.mha"))
    run(tmp_path / "in", tmp_path / "out", suffix="mha")
    done = load(tmp_path / "out" / "a.nii.gz")
    assert done.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asarray(done.dataobj), values)
    np.testing.assert_allclose(done.affine, affine, atol=1e-5)


def test_a_dicom_series_becomes_one_file(tmp_path: Path) -> None:
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    values = np.random.default_rng(0).integers(0, 500, (6, 5, 4)).astype(np.int16)
    write_series(tmp_path / "in" / "patient" / "mr", values, affine)
    result = run(tmp_path / "in", tmp_path / "out", suffix=".dcm", to=".mha")
    assert result.written == [(tmp_path / "out/patient/mr.mha").resolve()]
    volume = read_itk(result.written[0])
    np.testing.assert_array_equal(np.sort(volume.data.numpy(), axis=None), np.sort(values, axis=None))
    np.testing.assert_allclose(volume.spacing_mm, (1, 1, 2))


@pytest.mark.skipif(not DICOM.is_dir(), reason="the real DICOM series are not here")
def test_real_dicom(tmp_path: Path) -> None:
    result = run(DICOM, tmp_path, suffix=".dcm")
    for path in result.written:
        series = DICOM / path.name.removesuffix(".nii.gz")
        assert load(path).shape[2] == len(list(series.glob("*.dcm")))


def test_labels_keep_their_values(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2, (6, 5, 4)).astype(np.uint8) * 7
    save(tmp_path / "in" / "a.nii.gz", values)
    run(tmp_path / "in", tmp_path / "out", spacing_mm=(0.6,), labels=True)
    done = load(tmp_path / "out" / "a.nii.gz")
    assert done.get_data_dtype() == np.uint8
    assert np.unique(np.asarray(done.dataobj)).tolist() == [0, 7]


@pytest.mark.parametrize(
    ("stored", "written"),
    [(np.int16, np.int16), (np.float32, np.float32), (np.uint16, np.int32), (np.float64, np.float64)],
)
def test_types_stay_where_they_can(tmp_path: Path, stored: Any, written: Any) -> None:
    save(tmp_path / "in" / "a.nii.gz", (np.random.default_rng(0).random((6, 5, 4)) * 100).astype(stored))
    run(tmp_path / "in", tmp_path / "out", spacing_mm=(1.0,))
    assert load(tmp_path / "out" / "a.nii.gz").get_data_dtype() == written


def test_scaled_values_are_written_as_they_are_meant(tmp_path: Path) -> None:
    save(tmp_path / "in" / "a.nii.gz", np.full((3, 3, 3), 2.0), slope=0.5, intercept=-1.0)
    image = load(tmp_path / "in" / "a.nii.gz")
    meant = image.get_fdata()
    run(tmp_path / "in", tmp_path / "out")
    np.testing.assert_allclose(load(tmp_path / "out" / "a.nii.gz").get_fdata(), meant)


def test_2d_and_channels(tmp_path: Path) -> None:
    save(tmp_path / "in" / "flat.nii.gz", np.random.default_rng(0).random((6, 5)).astype(np.float32))
    save(tmp_path / "in" / "two.nii.gz", np.random.default_rng(0).random((6, 5, 4, 2)).astype(np.float32))
    run(tmp_path / "in", tmp_path / "out", spacing_mm=(0.5,))
    assert load(tmp_path / "out" / "flat.nii.gz").shape == (12, 20)
    assert load(tmp_path / "out" / "two.nii.gz").shape == (12, 20, 24, 2)


def test_what_is_there_is_left_unless_told(tmp_path: Path) -> None:
    for name in "ab":
        save(tmp_path / "in" / f"{name}.nii.gz", np.ones((3, 3, 3), np.int16))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.nii.gz").write_text("there")
    result = run(tmp_path / "in", tmp_path / "out")
    assert [[path.name for path in paths] for paths in (result.written, result.skipped)] == [["b.nii.gz"], ["a.nii.gz"]]
    assert (tmp_path / "out" / "a.nii.gz").read_text() == "there"
    assert result.to_dict() == {"written": [str(result.written[0])], "skipped": [str(result.skipped[0])]}
    assert len(run(tmp_path / "in", tmp_path / "out", overwrite=True).written) == 2
    assert load(tmp_path / "out" / "a.nii.gz").shape == (3, 3, 3)


def test_faults_are_told_at_the_end(tmp_path: Path) -> None:
    save(tmp_path / "in" / "good.nii.gz", np.ones((3, 3, 3), np.int16))
    for name in ("a", "c"):
        (tmp_path / "in" / f"{name}.nii.gz").write_text("broken")
    with pytest.raises(DataError, match=r"2 of 3 images failed; the other 1 are in") as caught:
        run(tmp_path / "in", tmp_path / "out")
    assert len(re.findall(r"in/[ac]\.nii\.gz", str(caught.value))) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.nii.gz"]


def test_spacings_that_do_not_fit_an_image_are_its_fault(tmp_path: Path) -> None:
    save(tmp_path / "in" / "flat.nii.gz", np.ones((6, 5), np.float32))
    with pytest.raises(DataError, match=r"flat\.nii\.gz: found an image of 2 axes, and 3 spacings"):
        run(tmp_path / "in", tmp_path / "out", spacing_mm=(1.0, 1.0, 1.0))


@pytest.mark.parametrize("spacing", [(0.0,), (), (1.0, -1.0), (float("nan"),), (1.0,) * 4])
def test_spacings_that_are_none(tmp_path: Path, spacing: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="--spacing-mm: found"):
        run(tmp_path, tmp_path / "out", spacing_mm=spacing)


def test_a_stop_leaves_whole_files_and_the_next_call_goes_on(tmp_path: Path) -> None:
    for name in "abc":
        save(tmp_path / "in" / f"{name}.nii.gz", np.ones((3, 3, 3), np.int16))
    stop = StopRequest()
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        stop.signal_number = 15 if done == 1 else None

    with pytest.raises(Interrupted, match="stopped after 2 of 3 images") as caught:
        convert(tmp_path / "in", tmp_path / "out", how=Conversion(), progress=progress, stop=stop)
    assert caught.value.exit_code == 143
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.nii.gz", "b.nii.gz"]
    result = convert(tmp_path / "in", tmp_path / "out", how=Conversion(), progress=progress)
    assert [path.name for path in result.written] == ["c.nii.gz"]
    assert told[-1] == (3, 3)
    assert read_volume(result.written[0]).spatial_shape == (3, 3, 3)
