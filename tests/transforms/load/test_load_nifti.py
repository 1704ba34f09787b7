"""LoadNifti: conformance, layouts, orientation, types, and what a file may be."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.orientation import axis_codes
from vesalia.imaging.volume import Sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.compose import Compose
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution


def _write(path: Path, shape: tuple[int, ...], *, affine: object = None, dtype: Any = np.int16) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    nib.Nifti1Image(values, np.eye(4) if affine is None else affine).to_filename(path)
    return values


def _load(*paths: Path, **arguments: Any) -> Sample:
    return LoadNifti("image", **arguments).apply(Sample(name="s", files={"image": paths}), NOTHING)


def test_reads_a_field(tmp_path: Path) -> None:
    values = _write(tmp_path / "a.nii.gz", (4, 3, 2))
    image = _load(tmp_path / "a.nii.gz")["image"]
    assert image.data.dtype == torch.float32
    assert np.array_equal(image.data.numpy(), values)
    assert image.channel == "none"
    assert image.source is not None
    assert image.source.paths == (tmp_path / "a.nii.gz",)


def test_reads_several_fields(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", (4, 3, 2))
    _write(tmp_path / "b.nii", (4, 3, 2))
    files = {"image": (tmp_path / "a.nii",), "label": (tmp_path / "b.nii",)}
    assert set(LoadNifti("image,label").apply(Sample(files=files), NOTHING).fields) == {"image", "label"}


def test_a_list_of_files_becomes_channels(tmp_path: Path) -> None:
    parts = [_write(tmp_path / f"{name}.nii", (4, 3, 2)) for name in "ab"]
    image = _load(tmp_path / "a.nii", tmp_path / "b.nii")["image"]
    assert image.channel == "first"
    assert np.array_equal(image.data.numpy(), np.stack(parts))


def test_canonical_points_to_ras_and_remembers_the_file(tmp_path: Path) -> None:
    values = _write(tmp_path / "a.nii", (4, 3, 2), affine=np.diag([-1.0, 1.0, 2.0, 1.0]))
    image = _load(tmp_path / "a.nii", as_closest_canonical=True)["image"]
    assert axis_codes(image.placed) == "RAS"
    assert np.array_equal(image.data.numpy(), values[::-1])
    assert image.source is not None
    assert axis_codes(image.source.grid.affine) == "LAS"


def test_stored_order_is_kept_otherwise(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", (4, 3, 2), affine=np.diag([-1.0, 1.0, 2.0, 1.0]))
    assert axis_codes(_load(tmp_path / "a.nii")["image"].placed) == "LAS"


def test_dtype(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", (4, 3, 2))
    assert _load(tmp_path / "a.nii", dtype="uint8")["image"].data.dtype == torch.uint8


@pytest.mark.parametrize(
    ("size", "shape", "channel", "spatial"),
    [
        ((4, 3, 2), "HWC", "last", (4, 3)),
        ((2, 4, 3), "CHW", "first", (4, 3)),
        ((4, 3, 2), "DHW", "none", (4, 3, 2)),
        ((4, 3, 2, 5), "DHWC", "last", (4, 3, 2)),
        ((5, 4, 3, 2), "CDHW", "first", (4, 3, 2)),
    ],
)
def test_shape_says_what_the_axes_are(
    tmp_path: Path, size: tuple[int, ...], shape: Literal["HWC"], channel: str, spatial: tuple[int, ...]
) -> None:
    _write(tmp_path / "a.nii", size)
    image = _load(tmp_path / "a.nii", shape=shape)["image"]
    assert (image.channel, image.spatial_shape) == (channel, spatial)


def test_shape_with_a_list_of_files(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", (4, 3, 2))
    assert _load(tmp_path / "a.nii", tmp_path / "a.nii", shape="DHWC")["image"].channel == "first"


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "a.nii", (4, 3, 2, 5))
    with pytest.raises(DataError, match=r"found an image of 4 axes .*expected 3 axes as shape='DHW' says"):
        _load(tmp_path / "a.nii", shape="DHW")


def test_a_field_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file for field 'label', expected one of: image"):
        LoadNifti("label").apply(Sample(files={"image": (tmp_path,)}), NOTHING)


def _pair(folder: Path, *, image: object, label: object, shape: tuple[int, ...] = (510, 3, 2)) -> Sample:
    _write(folder / "image.nii", shape, affine=image)
    _write(folder / "label.nii", shape, affine=label)
    return Sample(name="s", files={"image": (folder / "image.nii",), "label": (folder / "label.nii",)})


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("together", [False, True])
def test_headers_rounded_differently_are_one_grid(tmp_path: Path, canonical: bool, together: bool) -> None:
    start = _pair(tmp_path, image=np.diag([-0.7421875, 1, 2, 1]), label=np.diag([-0.742, 1, 2, 1]))
    fields = ["image,label"] if together else ["image", "label"]
    load = [LoadNifti(names, as_closest_canonical=canonical) for names in fields]
    chain = Compose([*load, ScaleByResolution("image,label", target_resolution=(1.0, 1.0, 2.0))])
    sample = chain(start, torch.Generator())
    assert sample["image"].spatial_shape == sample["label"].spatial_shape == (379, 3, 2)
    assert sample["label"].grid.matches(sample["image"].grid)
    assert sample["label"].source is not None
    assert sample["label"].source.paths == start.files["label"]
    assert sample["label"].source.grid.spacing_mm[0] == pytest.approx(0.7421875)


@pytest.mark.parametrize(
    ("affine", "shape"),
    [(np.diag([1.02, 1, 2, 1]), (10, 3, 2)), (np.diag([-1, 1, 2, 1]), (10, 3, 2)), (np.diag([1, 1, 2, 1]), (10, 3, 3))],
)
def test_what_lies_elsewhere_stays_there(tmp_path: Path, affine: np.ndarray, shape: tuple[int, ...]) -> None:
    start = _pair(tmp_path, image=np.diag([1, 1, 2, 1]), label=affine, shape=(10, 3, 2))
    _write(tmp_path / "label.nii", shape, affine=affine)
    label = LoadNifti("image,label").transform(start)["label"]
    assert np.allclose(label.placed, affine)
    assert label.spatial_shape == shape
