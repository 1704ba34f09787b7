"""NIfTI files: what is read, what is written, and every way a file can be wrong."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.drawn import uniform
from vesalia.errors import DataError, ResourceError
from vesalia.imaging import nifti_array
from vesalia.imaging.nifti import DType, read_header, read_volume, write_volume
from vesalia.imaging.orientation import to_canonical
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import oblique_affine


def _write(path: Path, values: np.ndarray, affine: np.ndarray | None = None, **header: Any) -> Path:
    image = nib.Nifti1Image(values, oblique_affine() if affine is None else affine)
    for name, value in header.items():
        image.header[name] = value
    image.to_filename(path)
    return path


def _loaded(path: Path) -> Any:
    return nib.load(path)


def _values(shape: tuple[int, ...] = (4, 3, 2), dtype: Any = np.int16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_reads_what_nibabel_reads(tmp_path: Path, name: str, dtype: Any) -> None:
    path = _write(tmp_path / name, _values(dtype=dtype))
    volume, wanted = read_volume(path), _loaded(path)
    assert np.array_equal(volume.data.numpy(), wanted.get_fdata(dtype=np.float32))
    assert np.array_equal(volume.placed, wanted.affine)
    assert volume.data.is_contiguous()
    assert volume.source is not None
    assert volume.source.dtype == np.dtype(dtype).name


def test_slope_and_intercept(tmp_path: Path) -> None:
    image = nib.Nifti1Image(_values(), np.eye(4))
    image.header.set_slope_inter(0.5, -1024)
    image.to_filename(tmp_path / "a.nii")
    assert np.allclose(read_volume(tmp_path / "a.nii").data.numpy(), _loaded(tmp_path / "a.nii").get_fdata())
    assert read_volume(tmp_path / "a.nii", dtype="float64").data.dtype == torch.float64


def test_channels(tmp_path: Path) -> None:
    four = read_volume(_write(tmp_path / "a.nii", _values((4, 3, 2, 5))))
    assert (four.channel, four.spatial_shape) == ("last", (4, 3, 2))
    two = read_volume(_write(tmp_path / "b.nii", _values((4, 3))))
    assert (two.channel, two.spatial_shape) == ("none", (4, 3))
    several = read_volume([tmp_path / "b.nii", str(tmp_path / "b.nii")])
    assert (several.channel, several.spatial_shape) == ("first", (4, 3))
    assert several.source is not None
    assert several.source.paths == (tmp_path / "b.nii",) * 2
    more = read_volume([tmp_path / "a.nii", tmp_path / "a.nii"])
    assert more.data.shape == (10, 4, 3, 2)


def test_channels_of_different_places_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", _values())
    _write(tmp_path / "b.nii", _values(), oblique_affine(seed=5))
    with pytest.raises(DataError, match=r"b.nii: found shape .* expected the same grid for all channels"):
        read_volume([tmp_path / "a.nii", tmp_path / "b.nii"])


def test_channels_whose_headers_are_rounded_differently_are_one_image(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", _values((510, 2, 2)), np.diag([0.7421875, 1, 2, 1]))
    _write(tmp_path / "b.nii", _values((510, 2, 2)), np.diag([0.742, 1, 2, 1]))
    volume = read_volume([tmp_path / "a.nii", tmp_path / "b.nii"])
    assert len(volume.as_batch()[0]) == 2
    assert volume.spacing_mm[0] == pytest.approx(0.7421875)


def test_no_file_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="empty list of files"):
        read_volume([])


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_the_header_alone(tmp_path: Path, name: str) -> None:
    header = read_header(_write(tmp_path / name, _values((4, 3, 2, 5))))
    assert (header.grid.shape, header.channels, header.dtype, header.voxels) == ((4, 3, 2), 5, "int16", 120)
    assert header.grid.matches(read_volume(tmp_path / name).grid)


# ---------------------------------------------------------------------------------------------------- what can be wrong


def test_missing(tmp_path: Path) -> None:
    for read in (read_header, read_volume):
        with pytest.raises(DataError, match=r"none.nii.gz: found no such file, expected .*; write the right path"):
            read(tmp_path / "none.nii.gz")


@pytest.mark.parametrize("content", [b"", b"x", b"not an image" * 100, b"{}"])
@pytest.mark.parametrize("packed", [True, False])
def test_not_nifti(tmp_path: Path, content: bytes, *, packed: bool) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content) if packed else content)
    for read in (read_header, read_volume):
        with pytest.raises(DataError, match=r"a.nii.gz: found .*expected a single-file NIfTI image"):
            read(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_gzip_that_is_cut_short(tmp_path: Path, share: float) -> None:
    path = _write(tmp_path / "a.nii.gz", np.random.default_rng(0).integers(0, 999, (20, 20, 20)).astype(np.int16))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataError, match=r"a.nii.gz: found damaged gzip data"):
        read_volume(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1), bit=st.integers(0, 7))
def test_gzip_with_one_bit_changed_never_gives_other_voxels(tmp_path: Path, *, place: float, bit: int) -> None:
    path = tmp_path / "a.nii.gz"
    if not path.exists():
        _write(tmp_path / "good.nii.gz", _values((9, 8, 7)))
    content = bytearray((tmp_path / "good.nii.gz").read_bytes())
    content[int(place * (len(content) - 1))] ^= 1 << bit
    path.write_bytes(content)
    try:
        volume = read_volume(path)
    except DataError as error:
        assert "a.nii.gz: found" in str(error)  # noqa: PT017 - either is right
    else:
        assert np.array_equal(volume.data.numpy(), _values((9, 8, 7)))


@pytest.mark.parametrize("packed", [True, False])
def test_voxels_that_are_missing(tmp_path: Path, *, packed: bool) -> None:
    path = _write(tmp_path / "a.nii", _values())
    content = path.read_bytes()[:-7]
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError, match=r"a.nii: found 393 bytes, expected 400 .*cut short"):
        read_volume(path)
    if not packed:
        with pytest.raises(DataError, match="cut short"):
            read_header(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers(tmp_path: Path, bad: float) -> None:
    values = _values(dtype=np.float32)
    values[2, 1, 0] = values[3, 2, 1] = bad
    path = _write(tmp_path / "a.nii.gz", values)
    with pytest.raises(DataError, match=r"a.nii.gz: found 2 voxels .* NaN or infinite \(the first at \(2, 1, 0\)\)"):
        read_volume(path)


def test_huge_values_are_numbers(tmp_path: Path) -> None:
    values = np.full((4, 3, 2), 3e38, dtype=np.float32)
    assert read_volume(_write(tmp_path / "a.nii", values)).data.isfinite().all()
    doubles = np.full((4, 3, 2), 1.7e308)
    assert read_volume(_write(tmp_path / "b.nii", doubles), dtype="float64").data.isfinite().all()


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [(0.5, "uint8", "not whole"), (300, "uint8", "expected 0 to 255"), (-1, "uint8", "from -1"), (2, "bool", "0 to 1")],
)
def test_values_that_do_not_fit(tmp_path: Path, value: float, dtype: DType, message: str) -> None:
    values = _values(dtype=np.float32) * 0
    values[0, 0, 0] = value
    with pytest.raises(DataError, match=rf"a.nii: .*{message}"):
        read_volume(_write(tmp_path / "a.nii", values), dtype=dtype)


# -------------------------------------------------------------------------------------------------------------- writing


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=3),
    channels=st.integers(1, 3),
    dtype=st.sampled_from(["uint8", "int16", "int32", "float32", "float64"]),
    seed=st.integers(0, 1000),
    packed=st.booleans(),
)
def test_there_and_back(
    tmp_path: Path, *, shape: list[int], channels: int, dtype: DType, seed: int, packed: bool
) -> None:
    data = torch.randint(0, 100, (channels, *shape), generator=torch.Generator().manual_seed(seed))
    volume = Volume(data.to(getattr(torch, dtype)), oblique_affine(seed=seed), "first")
    path = write_volume(volume, tmp_path / ("a.nii.gz" if packed else "a.nii"))
    back = read_volume(path, dtype=dtype)
    expected = (1, *shape) if channels == 1 else (channels, *shape)
    if len(shape) == 3 or channels == 1:
        assert torch.equal(back.as_batch()[0].reshape(expected), volume.data)
    assert np.allclose(back.placed, volume.placed, atol=1e-4)
    assert back.source is not None
    assert back.source.dtype == dtype


def test_2d_with_channels_stays_2d_with_channels(tmp_path: Path) -> None:
    volume = Volume(uniform(3, 5, 4), np.eye(4), "first")
    found = _loaded(write_volume(volume, tmp_path / "a.nii"))
    assert found.shape == (5, 4, 1, 3)
    back = read_volume(tmp_path / "a.nii")
    assert torch.equal(back.data[:, :, 0], volume.data.movedim(0, -1))


@pytest.mark.parametrize("codes", [(1, 1), (2, 0), (0, 1), (4, 3), (0, 0)])
def test_codes_of_the_source_are_kept_on_its_grid(tmp_path: Path, codes: tuple[int, int]) -> None:
    sform, qform = codes
    path = tmp_path / "a.nii.gz"
    image = nib.Nifti1Image(_values(), None)
    image.header.set_zooms((1.5, 0.8, 2.0))
    image.header.set_qform(oblique_affine(), code=qform)
    image.header.set_sform(oblique_affine(), code=sform)
    image.to_filename(path)
    before = read_volume(path)
    write_volume(before, tmp_path / "b.nii.gz", dtype="int16")
    after = _loaded(tmp_path / "b.nii.gz")
    assert (int(after.header["sform_code"]), int(after.header["qform_code"])) == codes
    assert np.allclose(after.affine, _loaded(path).affine, atol=1e-4)
    assert np.array_equal(np.asarray(after.dataobj), _values())
    assert after.header.get_data_dtype() == np.int16
    assert after.header.get_xyzt_units()[0] == "mm"


def test_another_grid_says_that_it_is_aligned(tmp_path: Path) -> None:
    volume = to_canonical(
        read_volume(_write(tmp_path / "a.nii", _values(), np.diag([-1.0, 1.0, 2.0, 1.0]), qform_code=1))
    )
    after = _loaded(write_volume(volume, tmp_path / "b.nii"))
    assert np.allclose(after.get_sform(), volume.placed)
    assert np.allclose(after.get_qform(), volume.placed)
    assert int(after.header["sform_code"]) == 2


def test_a_shear_goes_to_the_sform_only(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.3
    after = _loaded(write_volume(Volume(uniform(4, 3, 2), affine), tmp_path / "a.nii"))
    assert np.allclose(after.affine, affine)
    assert int(after.header["qform_code"]) == 0


def test_types_that_few_programs_read(tmp_path: Path) -> None:
    for kind, stored in (
        (torch.int64, "int32"),
        (torch.bool, "uint8"),
        (torch.bfloat16, "float32"),
        (torch.float16, "float32"),
    ):
        write_volume(Volume(torch.ones(4, 3, 2).to(kind), np.eye(4)), tmp_path / "a.nii")
        assert read_header(tmp_path / "a.nii").dtype == stored


def test_rounds_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    volume = Volume(torch.tensor([[0.4, 1.6]]), np.eye(4))
    assert read_volume(write_volume(volume, tmp_path / "a.nii", dtype="uint8")).data.tolist() == [[0, 2]]
    with pytest.raises(DataError, match=r"b.nii: found values from -2.0"):
        write_volume(Volume(torch.tensor([[-2.0, 1.6]])), tmp_path / "b.nii", dtype="uint8")
    assert not (tmp_path / "b.nii").exists()


def test_the_same_volume_gives_the_same_bytes(tmp_path: Path) -> None:
    volume = Volume(uniform(9, 8, 7), np.eye(4))
    one, two = (write_volume(volume, tmp_path / name).read_bytes() for name in ("a.nii.gz", "b.nii.gz"))
    assert one == two


def test_a_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found a batch of crops to write"):
        write_volume(Volume(uniform(2, 4, 3), batched=True), tmp_path / "a.nii")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nifti_array, "create", full)
    with pytest.raises(ResourceError, match=r"a.nii.gz: found no space left"):
        write_volume(Volume(uniform(4, 3, 2), np.eye(4)), tmp_path / "a.nii.gz")
    assert list(tmp_path.iterdir()) == []


def test_very_long_axes_need_nifti_2(tmp_path: Path) -> None:
    volume = Volume(torch.zeros(40_000, 1, dtype=torch.uint8), np.eye(4))
    assert read_volume(write_volume(volume, tmp_path / "a.nii.gz")).spatial_shape == (40_000, 1)
