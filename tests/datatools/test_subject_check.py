"""One subject's files and everything that can be wrong with them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datatools.datasets import SHAPE, label_map, write_nifti
from vesalia.datatools import subject_check
from vesalia.datatools.data_use import DataUse, uses_of
from vesalia.datatools.subject_check import SubjectFindings, check_subject
from vesalia.imaging.nifti import read_header
from vesalia.mmar.plan import TrainPlan
from vesalia.pipelines.datalist import DataItem


@pytest.fixture
def use(training: TrainPlan) -> DataUse:
    return uses_of(training)[0]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "image.nii.gz", (100 * label_map()).astype(np.float32))


@pytest.fixture
def label(tmp_path: Path) -> Path:
    return write_nifti(tmp_path / "label.nii.gz", label_map())


def look(use: DataUse, *images: Path, label: Path | None, labels: bool = True, voxels: bool = True) -> SubjectFindings:
    files = {"image": images, **({"label": (label,)} if label else {})}
    return check_subject(DataItem("case", files, {}), use, read_label=labels, read_image=voxels)


def told(found: SubjectFindings) -> str:
    return "\n".join(map(str, found.faults))


@pytest.mark.parametrize("read", [True, False])
def test_a_sound_subject(use: DataUse, image: Path, label: Path, read: bool) -> None:
    found = look(use, image, label=label, labels=read, voxels=read)
    assert (found.faults, found.warnings) == ((), ())
    assert (found.files, found.channels, found.labels_read) == (2, 1, read)
    assert found.stored_voxels == np.prod(SHAPE)
    assert found.resampled_shape == SHAPE


@pytest.mark.parametrize(("kind", "whole_bytes"), [("int16", 2), ("uint8", 1), ("float32", 0), ("int32", 0)])
def test_whole_numbers_are_noticed(use: DataUse, label: Path, tmp_path: Path, kind: str, whole_bytes: int) -> None:
    image = write_nifti(tmp_path / "whole.nii.gz", (10 * label_map()).astype(kind))
    assert look(use, image, label=label).whole_bytes == whole_bytes


def test_a_missing_label(use: DataUse, image: Path) -> None:
    assert "training (case): found no label" in told(look(use, image, label=None))


def test_another_shape(use: DataUse, image: Path, tmp_path: Path) -> None:
    other = write_nifti(tmp_path / "other.nii.gz", label_map((20, 18, 12)))
    assert "found the shape 20 x 18 x 12, expected 20 x 18 x 17" in told(look(use, image, label=other))


def test_another_place(use: DataUse, image: Path, tmp_path: Path) -> None:
    other = write_nifti(tmp_path / "other.nii.gz", label_map(), spacing_mm=(-1.0, 1.5, 2.0))
    assert "another place or direction" in told(look(use, image, label=other))


def test_channels_on_different_grids(use: DataUse, image: Path, label: Path, tmp_path: Path) -> None:
    other = write_nifti(tmp_path / "other.nii.gz", label_map((20, 18, 12)))
    assert "found the shape 20 x 18 x 12" in told(look(use, image, other, label=label))


def test_a_4d_image_where_one_channel_is_expected(use: DataUse, label: Path, tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "image.nii.gz", np.stack([label_map()] * 3, axis=-1))
    text = told(look(use, image, label=label))
    assert "found 3 channels in a 4D file, expected 1" in text
    assert "write output_image_channels: 3" in text


def test_several_files_where_one_channel_is_expected(use: DataUse, image: Path, label: Path) -> None:
    assert "found 2 channels, expected 1" in told(look(use, image, image, label=label))


def test_a_4d_label(use: DataUse, image: Path, tmp_path: Path) -> None:
    label = write_nifti(tmp_path / "label.nii.gz", np.stack([label_map()] * 2, axis=-1))
    assert "expected a 3D label map" in told(look(use, image, label=label))


def test_a_label_with_a_channel_per_class(use: DataUse, image: Path, tmp_path: Path) -> None:
    channels = np.stack([label_map() == value for value in range(3)], axis=-1).astype(np.uint8)
    label = write_nifti(tmp_path / "label.nii.gz", channels)
    assert "found 3 channels, expected a 3D label map" in told(look(use, image, label=label))
    use = replace(use, labels_by={3: "train.loss"})
    assert told(look(use, image, label=label)) == ""
    write_nifti(label, channels * 2)
    assert "expected the whole numbers 0 to 1" in told(look(use, image, label=label))


def test_a_label_map_for_those_who_take_a_channel_per_class(use: DataUse, image: Path, label: Path) -> None:
    found = told(look(replace(use, labels_by={3: "validate.metrics[0]"}), image, label=label))
    assert "found one channel, expected 3 channels, one per class, as validate.metrics[0] takes" in found
    assert "write is_one_hot_targets: false there" in found


@pytest.mark.parametrize("size", [4, 100, 800])
@pytest.mark.parametrize("which", ["image", "label"])
def test_a_file_cut_short_is_found_without_reading_it(
    use: DataUse, image: Path, label: Path, which: str, size: int
) -> None:
    path = image if which == "image" else label
    rng = np.random.default_rng(0)
    write_nifti(path, rng.integers(0, 3, SHAPE).astype(np.uint8))
    path.write_bytes(path.read_bytes()[:-size])
    found = look(use, image, label=label, labels=False, voxels=False)
    assert [fault.file for fault in found.faults] == [str(path)]
    assert "gzip" in found.faults[0].found


def test_a_header_that_promises_more_than_the_file_holds(use: DataUse, image: Path, label: Path) -> None:
    content = gzip.decompress(image.read_bytes())
    image.write_bytes(gzip.compress(content[:-8]))
    assert "cut short" in told(look(use, image, label=label, voxels=False))


def test_a_file_packed_in_two_parts_is_sound(use: DataUse, image: Path, label: Path) -> None:
    content = gzip.decompress(image.read_bytes())
    image.write_bytes(gzip.compress(content[:4000]) + gzip.compress(content[4000:]))
    assert told(look(use, image, label=label, voxels=False)) == ""


def test_a_flipped_bit_is_found_by_reading(use: DataUse, image: Path, label: Path) -> None:
    broken = bytearray(image.read_bytes())
    broken[-6] ^= 1
    image.write_bytes(broken)
    assert "damaged gzip" in told(look(use, image, label=label))


def test_what_is_no_image(use: DataUse, label: Path, tmp_path: Path) -> None:
    text = tmp_path / "image.nii.gz"
    text.write_text("hello", encoding="utf-8")
    found = look(use, text, label=label)
    assert [fault.file for fault in found.faults] == [str(text)]
    assert (found.stored_voxels, found.resampled_shape) == (0, ())


def test_voxels_that_are_not_numbers(use: DataUse, label: Path, tmp_path: Path) -> None:
    data = label_map().astype(np.float32)
    data[3, 3, 3] = np.nan
    image = write_nifti(tmp_path / "nan.nii.gz", data)
    assert "1 voxels that are NaN" in told(look(use, image, label=label))
    assert told(look(use, image, label=label, voxels=False)) == ""


@pytest.mark.parametrize(
    ("values", "words"), [([1, 3], "3 (64 voxels)"), ([-1, 1], "-1 (64 voxels)"), ([0.5, 1], "0.5 (64 voxels)")]
)
def test_values_outside_the_classes(use: DataUse, image: Path, tmp_path: Path, values: list[float], words: str) -> None:
    data = np.zeros(SHAPE, dtype=np.float32)
    for index, value in enumerate(values):
        data[label_map() == index + 1] = value
    label = write_nifti(tmp_path / "label.nii.gz", data)
    text = told(look(use, image, label=label))
    assert f"found the label values {words}, expected the whole numbers 0 to 2" in text
    assert "num_classes of the model (now 3)" in text
    assert told(look(use, image, label=label, labels=False)) == ""


def test_many_wrong_values_are_counted(use: DataUse, image: Path, tmp_path: Path) -> None:
    data = np.zeros(SHAPE, dtype=np.int16)
    data[0, 0, :9] = range(10, 19)
    label = write_nifti(tmp_path / "label.nii.gz", data)
    assert "14 (1 voxels) and 4 more" in told(look(use, image, label=label))


def test_one_output_channel_takes_any_whole_number(image: Path, tmp_path: Path, use: DataUse) -> None:
    binary = DataUse(**{name: getattr(use, name) for name in use.__slots__} | {"num_classes": 1})
    label = write_nifti(tmp_path / "label.nii.gz", 255 * label_map(values=[1]))
    assert told(look(binary, image, label=label)) == ""
    write_nifti(label, label_map() * np.float32(0.5))
    assert "whole numbers" in told(look(binary, image, label=label))


def test_an_empty_label_is_a_warning(use: DataUse, image: Path, tmp_path: Path) -> None:
    label = write_nifti(tmp_path / "label.nii.gz", np.zeros(SHAPE, dtype=np.uint8))
    found = look(use, image, label=label)
    assert found.faults == ()
    assert "no voxel above 0" in str(found.warnings[0])


def test_odd_spacing_is_a_warning(use: DataUse, tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "image.nii.gz", label_map(), spacing_mm=(0.001, 0.001, 0.001))
    label = write_nifti(tmp_path / "label.nii.gz", label_map(), spacing_mm=(0.001, 0.001, 0.001))
    found = look(use, image, label=label)
    assert found.faults == ()
    assert "voxels of 0.001 x 0.001 x 0.001 mm" in str(found.warnings[0])


def test_other_formats_are_not_looked_into(use: DataUse, tmp_path: Path) -> None:
    other = DataUse(**{name: getattr(use, name) for name in use.__slots__} | {"transforms": ()})
    found = look(other, tmp_path / "image.npy", label=tmp_path / "label.npy")
    assert (found.faults, found.files) == ((), 2)


@pytest.mark.parametrize("read", [True, False])
def test_a_damaged_label_is_told_once(use: DataUse, image: Path, label: Path, read: bool) -> None:
    rng = np.random.default_rng(0)
    write_nifti(label, rng.integers(0, 3, SHAPE).astype(np.uint8))
    label.write_bytes(label.read_bytes()[:-100])
    found = look(use, image, label=label, labels=read)
    assert [fault.file for fault in found.faults] == [str(label)]


def test_a_file_that_vanishes_between_two_looks(image: Path) -> None:
    header = read_header(image)
    image.unlink()
    (fault,) = subject_check._end_faults(header)
    assert fault.file == str(image)
    assert "no readable file" in fault.found


def test_a_plain_nifti_needs_no_end_check(use: DataUse, label: Path, tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "image.nii", label_map())
    assert told(look(use, image, label=label, voxels=False)) == ""
    image.write_bytes(image.read_bytes()[:-50])
    assert "cut short" in told(look(use, image, label=label, voxels=False))


def test_an_image_of_one_value_is_odd(use: DataUse, label: Path, tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "image.nii.gz", np.full(SHAPE, 40, dtype=np.float32))
    found = look(use, image, label=label)
    assert found.faults == ()
    assert "image.nii.gz: found the value 40 in every voxel" in str(found.warnings[0])
    assert look(use, image, label=label, voxels=False).warnings == ()


def masks(folder: Path, count: int) -> tuple[Path, ...]:
    return tuple(write_nifti(folder / f"mask{k}.nii.gz", (label_map() > 0).astype(np.uint8)) for k in range(count))


def test_a_label_of_a_file_per_class(use: DataUse, image: Path, tmp_path: Path) -> None:
    files = {"image": (image,), "label": masks(tmp_path, 2)}
    item = DataItem("case", files, {})
    asked = replace(use, label_channels=2, labels_by={})
    assert check_subject(item, asked, read_label=True, read_image=True).faults == ()
    unasked = replace(use, num_classes=3, labels_by={})
    (fault,) = check_subject(item, unasked, read_label=True, read_image=True).faults
    assert (fault.file, fault.found) == (str(files["label"][0]), "2 channels in 2 files")


def test_a_label_map_may_be_declared_with_more_channels(use: DataUse, image: Path, label: Path) -> None:
    assert look(replace(use, label_channels=4), image, label=label).faults == ()


def test_labels_that_are_judged_by_their_channels_may_have_any_number(
    use: DataUse, image: Path, tmp_path: Path
) -> None:
    item = DataItem("case", {"image": (image,), "label": masks(tmp_path, 5)}, {})
    judged = replace(use, has_label_channels=True)
    assert check_subject(item, judged, read_label=True, read_image=True).faults == ()
