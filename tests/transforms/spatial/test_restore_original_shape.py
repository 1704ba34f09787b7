"""RestoreOriginalShape: all orientations and oblique affines, there and back, to the voxel."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, flip_affine, spacing_mm
from vesalia.imaging.nifti import read_volume, write_volume
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.testing.transforms import example_sample
from vesalia.transforms.compose import Compose
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.restore_original_shape import RestoreOriginalShape
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution
from vesalia.transforms.spatial.symmetric_padder_div import SymmetricPadderDiv

ORIENTATIONS = list(product(permutations(range(3)), product((1, -1), repeat=3)))


def _rotation(seed: int) -> npt.NDArray[np.float64]:
    """A rotation by up to some 20 degrees around each axis, which leaves each axis nearest to where it pointed."""
    turned = np.eye(3)
    for (first, second), angle in zip(
        ((0, 1), (1, 2), (0, 2)), np.random.default_rng(seed).uniform(-0.3, 0.3, 3), strict=True
    ):
        around = np.eye(3)
        around[[first, second], [first, second]] = np.cos(angle)
        around[first, second], around[second, first] = -np.sin(angle), np.sin(angle)
        turned = turned @ around
    return turned


def _affine(orientation: int, seed: int | None, spacing: tuple[float, float, float] = (0.7, 1.1, 3.0)) -> Affine:
    order, signs = ORIENTATIONS[orientation]
    affine = np.eye(4)
    turned = np.eye(3) if seed is None else _rotation(seed)
    affine[:3, :3] = turned[:, list(order)] * np.array(signs) * np.array(spacing)
    affine[:3, 3] = (-31.25, 17.5, 120.0)
    return affine


def _blobs(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.randint(0, 3, shape, generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def _there_and_back(path: Path, *, canonical: bool, between: Compose | None = None, label: bool = True) -> Volume:
    """Load, convert, work, hand the image through a model that changes nothing, restore."""
    load = Compose([LoadNifti("image", as_closest_canonical=canonical), ConvertToChannelsFirst("image")])
    sample = load(Sample(files={"image": (path,)}), torch.Generator())
    sample = sample if between is None else between(sample, torch.Generator())
    image = sample["image"]
    predicted = sample.with_fields(model=Volume(image.data, image.affine, "first"))
    restore = RestoreOriginalShape("model", src_field="image", is_label=label)
    return restore(predicted, torch.Generator())["model"]


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("orientation", range(48))
def test_all_orientations(tmp_path: Path, orientation: int, *, canonical: bool) -> None:
    """Axis-aligned: the label comes back to the bit, and the file that is written has the affine to the bit."""
    original, written = tmp_path / "label.nii.gz", tmp_path / "prediction.nii.gz"
    volume = Volume(_blobs((5, 4, 3), orientation), _affine(orientation, None))
    write_volume(volume, original)
    before = read_volume(original, dtype="uint8")
    restored = _there_and_back(original, canonical=canonical)
    write_volume(restored, written, dtype="uint8")
    after = read_volume(written, dtype="uint8")
    assert torch.equal(after.data, volume.data)
    assert np.array_equal(after.placed, before.placed)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orientation=st.integers(0, 47),
    seed=st.integers(0, 10_000),
    canonical=st.booleans(),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    spacing=st.tuples(*[st.floats(0.2, 6.0)] * 3),
)
def test_oblique_affines(
    tmp_path: Path,
    *,
    orientation: int,
    seed: int,
    canonical: bool,
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
) -> None:
    """Oblique, with any spacing and shape, padded on the way."""
    path = tmp_path / "label.nii"
    volume = Volume(_blobs(shape, seed), _affine(orientation, seed, spacing))
    write_volume(volume, path)
    restored = _there_and_back(path, canonical=canonical, between=Compose([SymmetricPadderDiv("image", div_int=4)]))
    assert torch.equal(restored.data[0].to(torch.uint8), volume.data)
    assert np.array_equal(restored.placed, read_volume(path).placed)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orientation=st.integers(0, 47),
    seed=st.one_of(st.none(), st.integers(0, 10_000)),
    canonical=st.booleans(),
    factor=st.integers(2, 4),
)
def test_finer_spacing_and_back(
    tmp_path: Path, *, orientation: int, seed: int | None, canonical: bool, factor: int
) -> None:
    """Scaled to a finer spacing and back, the label is what it was."""
    path = tmp_path / "label.nii"
    volume = Volume(_blobs((4, 3, 5), orientation), _affine(orientation, seed, (2.0, 2.0, 2.0)))
    write_volume(volume, path)
    scale = Compose([ScaleByResolution("image", target_resolution=(2.0 / factor,), is_label=True)])
    restored = _there_and_back(path, canonical=canonical, between=scale)
    assert torch.equal(restored.data[0].to(torch.uint8), volume.data)


@pytest.mark.parametrize("seed", [None, 4])
def test_linear_restores_a_smooth_image(tmp_path: Path, seed: int | None) -> None:
    """A ramp goes to another spacing and back without loss, away from the border."""
    path = tmp_path / "image.nii"
    ramp = torch.arange(12.0).view(-1, 1, 1).expand(12, 8, 6).clone()
    write_volume(Volume(ramp, _affine(5, seed)), path)
    scale = Compose([ScaleByResolution("image", target_resolution=(1.0, 0.8, 2.0))])
    restored = _there_and_back(path, canonical=True, between=scale, label=False)
    inner = (slice(2, -2),) * 3
    assert torch.allclose(restored.data[0][inner], ramp[inner], atol=1e-3)


def test_channels_and_2d() -> None:
    sample = example_sample((6, 5))
    image = sample["image"]
    path = Path("image.nii")
    source = replace(image, source=Source((path,), image.grid))
    flipped = Volume(image.data.flip(1), flip_affine(image.placed, [0], shape=image.spatial_shape), "first")
    restored = RestoreOriginalShape("model", src_field="image")(
        sample.with_fields(image=source, model=flipped), torch.Generator()
    )["model"]
    assert torch.equal(restored.data, image.data)
    assert restored.source is source.source


def test_a_prediction_without_a_place_takes_that_of_the_image_of_its_shape(tmp_path: Path) -> None:
    path = tmp_path / "image.nii"
    write_volume(Volume(_blobs((4, 3, 2), 0), _affine(7, None)), path)
    image = LoadNifti("image", as_closest_canonical=True)(Sample(files={"image": (path,)}), torch.Generator())
    predicted = image.with_fields(model=Volume(image["image"].data.unsqueeze(0), channel="first"))
    restored = RestoreOriginalShape("model", src_field="image", is_label=True)(predicted, torch.Generator())["model"]
    assert torch.equal(restored.data[0], read_volume(path).data)
    assert spacing_mm(restored.placed) == pytest.approx(spacing_mm(_affine(7, None)))


@pytest.mark.parametrize("is_label", [True, False])
def test_what_lies_on_the_files_grid_already_is_not_copied(is_label: bool) -> None:
    sample = example_sample((6, 5, 4))
    image = sample["image"]
    source = replace(image, source=Source((Path("image.nii"),), image.grid))
    data = torch.zeros(1, 3, 6, 5, 4).contiguous(memory_format=torch.channels_last_3d)[0]
    predicted = sample.with_fields(image=source, model=Volume(data, image.affine, "first"))
    restore = RestoreOriginalShape("model", src_field="image", is_label=is_label)
    restored = restore(predicted, torch.Generator())["model"]
    assert restored.data.data_ptr() == data.data_ptr()
    assert restored.source is source.source


def test_a_prediction_that_fits_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.nii"
    write_volume(Volume(_blobs((4, 3, 2), 0), _affine(7, None)), path)
    image = LoadNifti("image")(Sample(files={"image": (path,)}), torch.Generator())
    with pytest.raises(DataError, match="does not say where it lies, expected shape \\(4, 3, 2\\)"):
        RestoreOriginalShape("model", src_field="image")(
            image.with_fields(model=Volume(torch.zeros(1, 2, 2, 2), channel="first")), torch.Generator()
        )


def test_a_source_field_that_was_not_loaded_is_refused() -> None:
    with pytest.raises(DataError, match="'image' was not read from a file"):
        RestoreOriginalShape("label", src_field="image")(example_sample((4, 3)), torch.Generator())


def test_names_the_field_that_changes() -> None:
    assert RestoreOriginalShape("model", src_field="image").fields == ("model",)
