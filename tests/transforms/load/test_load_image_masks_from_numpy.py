"""LoadImageMasksFromNumpy: axes by their number or as told, on the grid of the image read before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.load.load_image_masks_from_numpy import LoadImageMasksFromNumpy
from vesalia.transforms.load.load_nifti import LoadNifti

AFFINE = np.diag([-1.0, 2.0, 3.0, 1.0])


def load(path: Path, *more: Path, **arguments: Any) -> Any:
    sample = Sample(files={"label": (path, *more)})
    return LoadImageMasksFromNumpy("label", **arguments).apply(sample, NOTHING)["label"]


def save(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    array = np.random.default_rng(0).integers(0, 3, shape)
    np.save(path, array)
    return array


@pytest.mark.parametrize(
    ("shape", "told", "channel", "spatial"),
    [
        ((4, 3), None, "none", (4, 3)),
        ((4, 3, 2), None, "none", (4, 3, 2)),
        ((4, 3, 2, 5), None, "last", (4, 3, 2)),
        ((5, 4, 3), "CHW", "first", (4, 3)),
        ((5, 4, 3, 2), "CDHW", "first", (4, 3, 2)),
    ],
)
def test_axes(tmp_path: Path, shape: tuple[int, ...], told: Any, channel: str, spatial: tuple[int, ...]) -> None:
    array = save(tmp_path / "a.npy", shape)
    label = load(tmp_path / "a.npy", shape=told)
    assert (label.channel, label.spatial_shape) == (channel, spatial)
    np.testing.assert_array_equal(label.data.numpy(), array)
    assert label.source.grid.shape == spatial


def test_a_mask_lies_where_its_image_lies(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 3, 2), np.float32), AFFINE), tmp_path / "image.nii")
    save(tmp_path / "a.npy", (4, 3, 2))
    files = {"image": (tmp_path / "image.nii",), "label": (tmp_path / "a.npy",)}
    sample = LoadImageMasksFromNumpy("label").transform(LoadNifti("image").transform(Sample(files=files)))
    assert sample["label"].grid.matches(sample["image"].grid)
    assert sample["label"].source is not None
    assert sample["label"].source.paths == (tmp_path / "a.npy",)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2)])
def test_alone_it_has_voxels_of_1_mm(tmp_path: Path, shape: tuple[int, ...]) -> None:
    save(tmp_path / "a.npy", shape)
    assert load(tmp_path / "a.npy").spacing_mm == (1,) * len(shape)


def test_a_mask_of_another_shape_stays_where_it_is(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((4, 3, 3), np.float32), AFFINE), tmp_path / "image.nii")
    save(tmp_path / "a.npy", (4, 3, 2))
    files = {"image": (tmp_path / "image.nii",), "label": (tmp_path / "a.npy",)}
    sample = LoadImageMasksFromNumpy("label").transform(LoadNifti("image").transform(Sample(files=files)))
    assert sample["label"].spacing_mm == (1, 1, 1)


def test_a_list_of_files_becomes_channels(tmp_path: Path) -> None:
    arrays = [save(tmp_path / f"{name}.npy", (4, 3, 2)) for name in "ab"]
    label = load(tmp_path / "a.npy", tmp_path / "b.npy", dtype="uint8")
    assert (label.channel, label.data.dtype) == ("first", torch.uint8)
    np.testing.assert_array_equal(label.data.numpy(), np.stack(arrays))
    assert label.source.paths == (tmp_path / "a.npy", tmp_path / "b.npy")


def test_a_list_of_other_shapes(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", (4, 3, 2))
    save(tmp_path / "b.npy", (4, 3, 3))
    with pytest.raises(DataError, match=r"b.npy: found shape \(4, 3, 3\), expected \(4, 3, 2\)"):
        load(tmp_path / "a.npy", tmp_path / "b.npy")


@pytest.mark.parametrize(("shape", "told"), [((4,), None), ((2, 2, 2, 2, 2), None), ((4, 3), "DHW")])
def test_axes_that_fit_nothing(tmp_path: Path, shape: tuple[int, ...], told: Any) -> None:
    save(tmp_path / "a.npy", shape)
    with pytest.raises(DataError, match=f"found an array of {len(shape)} axes"):
        load(tmp_path / "a.npy", shape=told)


def test_the_field_names_the_array_of_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((2, 2)), label=np.ones((2, 2)))
    assert load(tmp_path / "a.npz").data.unique().tolist() == [1]
