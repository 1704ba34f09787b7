"""What is measured on a data set whose answers are known."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.datatools.datasets import SHAPE, SPACING_MM, decathlon, label_map, nnunet, write_nifti
from vesalia.datatools.dataset import read_dataset
from vesalia.datatools.scan import DatasetFingerprint, IntensityStatistics, scan
from vesalia.errors import DataError


def scanned(folder: Path) -> DatasetFingerprint:
    return scan(read_dataset(folder))


def test_cubes_of_known_density(tmp_path: Path) -> None:
    found = scanned(decathlon(tmp_path))
    assert (found.cases, found.channels) == (6, 1)
    assert found.median_spacing_mm == pytest.approx(SPACING_MM)
    assert set(found.shapes) == {SHAPE}
    assert found.intensity == (IntensityStatistics(100.0, 200.0, 150.0, 50.0),)
    background = 6 * (np.prod(SHAPE) - 128)
    assert found.label_voxels == {0: background, 1: 6 * 64, 2: 6 * 64}
    assert found.label_cases == {0: 6, 1: 6, 2: 6}
    assert found.disagreements == ()


@pytest.mark.parametrize(
    ("codes", "mixed"),
    [(["LPS"] * 4, False), (["RAS", "LAS", "RAS", "RAS"], True), (["RAS", "SRA", "PIR", "RAS"], True)],
)
def test_mixed_axes_are_measured_in_one_order(tmp_path: Path, codes: list[str], mixed: bool) -> None:
    folder = decathlon(tmp_path, training=2)
    for index, code in enumerate(codes):
        for part in ("imagesTr", "labelsTr"):
            path = folder / part / f"case_{index}.nii.gz"
            image = nib.Nifti1Image.from_filename(path)
            turn = nib.orientations.ornt_transform(
                nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(code)
            )
            nib.save(image.as_reoriented(turn), path)
    found = scanned(folder)
    assert found.is_mixed is mixed
    assert found.orientations == tuple(sorted(set(codes)))
    assert set(found.shapes) == {SHAPE}
    assert found.median_spacing_mm == pytest.approx(SPACING_MM)


def test_shapes_after_resampling(tmp_path: Path) -> None:
    found = scanned(decathlon(tmp_path))
    assert found.median_shape(SPACING_MM) == SHAPE
    assert found.median_shape((2.0, 1.5, 1.0)) == (10, 18, 34)
    assert found.median_shape((1000.0, 1.5, 2.0))[0] == 1


def test_channels_are_measured_one_by_one(tmp_path: Path) -> None:
    found = scanned(nnunet(tmp_path))
    assert found.channels == len(found.intensity) == 2
    for channel in found.intensity:
        assert channel.mean == pytest.approx(50, abs=1)
        assert channel.low < 45
        assert channel.high > 55


def test_a_4d_file_has_its_channels_last(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    stacked = np.stack([label_map(), 2 * label_map()], axis=-1).astype(np.int16)
    for path in (folder / "imagesTr").iterdir():
        write_nifti(path, stacked)
    found = scanned(folder)
    assert found.channels == 2
    assert [channel.mean for channel in found.intensity] == [1.5, 3.0]


def test_no_case_outweighs_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vesalia.datatools.scan._VALUES_PER_CASE", 8)
    found = scanned(decathlon(tmp_path))
    assert found.intensity[0].mean == pytest.approx(150)


def test_the_same_data_give_the_same_fingerprint(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    assert scanned(folder) == scanned(folder)


def test_it_can_be_written_as_json(tmp_path: Path) -> None:
    data = json.loads(json.dumps(scanned(decathlon(tmp_path)).to_dict()))
    assert data["median_spacing_mm"] == pytest.approx(SPACING_MM)
    assert data["intensity"][0]["high"] == 200.0


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    scan(read_dataset(decathlon(tmp_path)), lambda done, of: told.append((done, of)))
    assert told == [(done, 6) for done in range(1, 7)]


def test_nothing_labelled_gives_a_window_of_one() -> None:
    assert IntensityStatistics.of(np.zeros(0, dtype=np.float32)) == IntensityStatistics(0.0, 1.0, 0.0, 1.0)


def test_labels_that_lie_elsewhere_are_reported_and_not_measured(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    write_nifti(folder / "labelsTr" / "case_1.nii.gz", label_map((20, 18, 16)))
    found = scanned(folder)
    assert [Path(fault.file).name for fault in found.disagreements] == ["case_1.nii.gz"]
    assert found.cases == 6


def test_all_unusable_files_are_told_at_once(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    labels = folder / "labelsTr"
    (folder / "imagesTr" / "case_0.nii.gz").unlink()
    whole = (labels / "case_1.nii.gz").read_bytes()
    (labels / "case_1.nii.gz").write_bytes(whole[: len(whole) // 2])
    write_nifti(labels / "case_2.nii.gz", np.stack([label_map()] * 2, axis=-1))
    write_nifti(labels / "case_3.nii.gz", label_map() + np.float32(0.5))
    write_nifti(folder / "imagesTr" / "case_4.nii.gz", np.zeros((5, 5), dtype=np.int16))
    with pytest.raises(DataError) as caught:
        scanned(folder)
    text = str(caught.value)
    assert len(caught.value.faults) == 5
    for index, words in enumerate(("no such file", "damaged gzip", "2 channels", "not whole", "shape [5, 5]")):
        assert words in text
        assert f"case_{index}.nii.gz" in text


def test_cases_with_different_channels_are_refused(tmp_path: Path) -> None:
    folder = decathlon(tmp_path)
    write_nifti(folder / "imagesTr" / "case_2.nii.gz", np.stack([label_map()] * 3, axis=-1))
    with pytest.raises(DataError, match="1 in 5 cases and 3 in 1 cases"):
        scanned(folder)
