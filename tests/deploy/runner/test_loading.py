"""LoadNifti of the runner gives what the component gives."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import placed
from vesalia.deploy.runner import volume as arrays
from vesalia.deploy.runner.loading import LoadNifti
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.runtime.seeds import generator
from vesalia.transforms.load import load_nifti

AFFINE = np.diag([2.0, 1, 3, 1])


def write(path: Path, values: Any, affine: Any = AFFINE) -> Path:
    image = nib.Nifti1Image(np.asarray(values), affine)
    nib.save(image, path)
    return path


def check(files: dict[str, tuple[Path, ...]], **args: Any) -> arrays.Sample:
    component = load_nifti.LoadNifti(tuple(files), **args)
    wanted = component(Sample(name="a", files=files), generator(0, "load"))
    found = LoadNifti(tuple(files), **args)(arrays.Sample(name="a", files=files))
    for name, volume in wanted.fields.items():
        other = found[name]
        np.testing.assert_array_equal(other.data, volume.data.numpy())
        assert other.data.dtype == volume.data.numpy().dtype
        np.testing.assert_array_equal(other.placed, volume.placed)
        assert (other.channel, other.affine is None) == (volume.channel, volume.affine is None)
        assert (other.source and other.source.paths) == (volume.source and volume.source.paths)
        np.testing.assert_array_equal(other.source.grid.affine, volume.source.grid.affine)  # type: ignore[union-attr]
    return found


@given(st.data())
def test_any_place(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    shape = tuple(data.draw(st.integers(1, 6)) for _ in range(data.draw(st.sampled_from([2, 3, 4]))))
    affine = data.draw(placed(shape[:3], oblique=data.draw(st.booleans())))
    dtype = data.draw(st.sampled_from(["int16", "float32", "uint8"]))
    path = write(
        tmp_path_factory.mktemp("one") / "a.nii.gz", np.arange(np.prod(shape), dtype=dtype).reshape(shape), affine
    )
    check(
        {"image": (path,)},
        as_closest_canonical=data.draw(st.booleans()),
        dtype=data.draw(st.sampled_from([dtype, "float32"])),
    )


def test_several_files_and_a_header_that_is_rounded(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 4, 5, 6)).astype(np.float32)
    paths = tuple(write(tmp_path / f"{number}.nii", one) for number, one in enumerate(values))
    near = AFFINE.copy()
    near[0, 3] = 0.2
    mask = write(tmp_path / "mask.nii", values[0], near)
    found = check({"image": paths, "mask": (mask,)})
    np.testing.assert_array_equal(found["mask"].placed, AFFINE)


@pytest.mark.parametrize("shape", ["CDHW", "DHWC"])
def test_axes_as_they_are_told(tmp_path: Path, shape: str) -> None:
    path = write(tmp_path / "a.nii", np.zeros((2, 3, 4, 5), np.uint8))
    check({"image": (path,)}, shape=shape)
    check({"image": (path, path)}, shape="DHWC") if shape == "DHWC" else None


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.nii", np.zeros((3, 4, 5))), write(tmp_path / "b.nii", np.zeros((3, 4, 6)))
    with pytest.raises(DataError, match="expected the same grid for all channels"):
        LoadNifti("image")(arrays.Sample(files={"image": (one, two)}))
    with pytest.raises(DataError, match="expected 2 axes as shape='HW' says"):
        LoadNifti("image", shape="HW")(arrays.Sample(files={"image": (one,)}))
    with pytest.raises(DataError, match="found no file for field 'mask', expected one of: image"):
        LoadNifti("mask")(arrays.Sample(files={"image": (one,)}))


def test_a_file_elsewhere_keeps_its_place(tmp_path: Path) -> None:
    far = AFFINE.copy()
    far[0, 3] = 100
    files = {"image": (write(tmp_path / "a.nii", np.zeros((3, 4, 5))),)}
    check({**files, "mask": (write(tmp_path / "b.nii", np.zeros((3, 4, 5)), far),)})
    check({**files, "mask": (write(tmp_path / "c.nii", np.zeros((3, 4, 6))),)})
