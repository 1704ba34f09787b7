"""The look at the data before a run: all faults at once, and no more reading than asked for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datatools.datasets import SHAPE, decathlon, label_map, nnunet, write_nifti
from tests.datatools.plans import evaluation_of, made, training_of, with_pipeline
from tests.tiny_classification import make_archive as make_classification
from tests.tiny_classification import make_data as make_radiographs
from vesalia.datatools import preflight as module
from vesalia.datatools.data_use import uses_of
from vesalia.datatools.preflight import PreflightReport, preflight
from vesalia.errors import ConfigError, Fault
from vesalia.mmar.validate import plan_evaluation, plan_training


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return made(tmp_path)


def data(archive: Path) -> Path:
    return archive.parent / "data"


def test_a_sound_archive(archive: Path) -> None:
    report = preflight(training_of(archive))
    assert report.ok
    assert (report.faults, report.warnings) == ((), ())
    assert report.counts == {"subjects_training": 4, "subjects_validation": 2, "files": 12, "labels_read": 6}
    assert report.estimate is not None
    assert "4 subjects in training and 2 subjects in validation, 6 labels read; needs about" in report.summary()
    assert "; cache of 6 items of " in report.summary()


def test_several_channels(tmp_path: Path) -> None:
    report = preflight(training_of(made(tmp_path, nnunet(tmp_path / "brains"))))
    assert report.ok
    assert report.counts["files"] == 15


def test_an_evaluation(archive: Path) -> None:
    report = preflight(evaluation_of(archive))
    assert report.ok
    assert report.counts == {"subjects_validation": 2, "files": 4, "labels_read": 2}


def test_all_faults_are_told_at_once(archive: Path) -> None:
    folder = data(archive)
    labels = folder / "labelsTr"
    labels.joinpath("case_0.nii.gz").write_bytes(b"\x1f\x8b broken")
    write_nifti(labels / "case_1.nii.gz", label_map(values=[1, 5]))
    write_nifti(labels / "case_2.nii.gz", label_map((9, 18, 17)))
    write_nifti(labels / "case_3.nii.gz", np.zeros(SHAPE, dtype=np.uint8))
    write_nifti(folder / "imagesTr" / "case_4.nii.gz", np.full(SHAPE, np.nan, dtype=np.float32))
    write_nifti(folder / "imagesTr" / "case_5.nii.gz", np.stack([label_map()] * 2, axis=-1))
    report = preflight(training_of(archive))
    assert sorted(Path(fault.file).name for fault in report.faults) == [
        f"case_{index}.nii.gz" for index in (0, 1, 2, 4, 5)
    ]
    assert [Path(warning.file).name for warning in report.warnings] == ["case_3.nii.gz"]
    assert not report.ok
    assert all(fault.found and fault.expected and fault.write for fault in report.faults)


def test_missing_files_in_both_lists(archive: Path) -> None:
    plan = training_of(archive)
    for index in (1, 5):
        (data(archive) / "imagesTr" / f"case_{index}.nii.gz").unlink()
    report = preflight(plan)
    assert len(report.faults) == 2
    assert report.estimate is None
    assert report.summary() == "data: 0 subjects in training and 0 subjects in validation, 0 labels read"


def test_none_reads_no_voxels(archive: Path) -> None:
    write_nifti(data(archive) / "labelsTr" / "case_1.nii.gz", label_map(values=[1, 5]))
    report = preflight(training_of(archive), labels="none")
    assert report.ok
    assert report.counts["labels_read"] == 0
    assert not preflight(training_of(archive), labels="all").ok


def test_auto_reads_a_sample_of_large_data(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_ALL_BELOW_BYTES", 0)
    monkeypatch.setattr(module, "_LABELS_SAMPLED", 3)
    write_nifti(data(archive) / "imagesTr" / "case_1.nii.gz", np.full(SHAPE, np.nan, dtype=np.float32))
    report = preflight(training_of(archive))
    assert report.ok
    assert report.counts["labels_read"] == 3
    everything = preflight(training_of(archive), labels="all")
    assert everything.counts["labels_read"] == 6
    assert [Path(fault.file).name for fault in everything.faults] == ["case_1.nii.gz"]


def test_the_sample_is_even() -> None:
    files = [Path(str(index)) for index in range(320)]
    assert list(module._chosen(files, "none")) == []
    assert list(module._chosen(files, "all")) == files


def test_files_listed_many_times_are_looked_at_once(archive: Path) -> None:
    file = archive / "config" / "dataset.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["training"] = content["training"][:1] * 32
    file.write_text(json.dumps(content), encoding="utf-8")
    told: list[tuple[int, int]] = []
    report = preflight(training_of(archive), progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert report.counts["subjects_training"] == 32
    assert report.counts["files"] == 6


def test_a_file_that_both_lists_name_is_told_once(archive: Path) -> None:
    file = archive / "config" / "dataset.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["validation"] = content["training"]
    file.write_text(json.dumps(content), encoding="utf-8")
    write_nifti(data(archive) / "labelsTr" / "case_1.nii.gz", label_map(values=[1, 5]))
    assert len(preflight(training_of(archive)).faults) == 1


def test_training_and_validation_on_lists_of_one_name_are_counted_both(archive: Path) -> None:
    plan = training_of(archive)
    assert plan.validate is not None
    pipeline = plan.validate.image_pipeline
    same = replace(pipeline, args={**pipeline.args, "data_list_key": "training"})
    report = preflight(replace(plan, validate=replace(plan.validate, image_pipeline=same)))
    assert (report.counts["subjects_train"], report.counts["subjects_validate"]) == (4, 4)
    assert "4 subjects in train and 4 subjects in validate" in report.summary()


def test_a_machine_that_is_too_small(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vesalia.datatools.estimate.available_memory_bytes", lambda: 1000)
    monkeypatch.setattr("vesalia.datatools.estimate.free_disk_bytes", lambda _: 1000)
    keys = [fault.key or fault.file for fault in preflight(training_of(archive)).faults]
    assert keys == ["train.image_pipeline.args.num_cache_objects", str(archive / "models")]


def test_a_size_that_may_not_fit_is_a_warning(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = training_of(archive)
    needs = preflight(plan).estimate
    assert needs is not None
    monkeypatch.setattr("vesalia.datatools.estimate._GPU_DRIVER", Path("/nowhere"))
    almost = needs.cache + needs.batches + needs.step * 3 // 4
    monkeypatch.setattr("vesalia.datatools.estimate.available_memory_bytes", lambda: almost)
    report = preflight(plan)
    assert report.ok
    assert report.warnings[0].key == "train"


def test_a_list_that_went_missing_meanwhile(archive: Path) -> None:
    plan = training_of(archive)
    report = preflight(with_pipeline(plan, data_list_key="x"))
    assert "no key 'x'" in report.faults[0].found


def test_another_way_of_reading_is_refused(archive: Path) -> None:
    with pytest.raises(ConfigError, match="labels: found 'some'"):
        preflight(training_of(archive), labels="some")


def test_the_report_as_data(archive: Path) -> None:
    report = json.loads(json.dumps(preflight(training_of(archive)).to_dict()))
    assert report["ok"] is True
    assert report["counts"]["files"] == 12
    assert report["estimate"]["memory_bytes"] > 0
    broken = PreflightReport((Fault("a", "b"),), (), None).to_dict()
    assert (broken["ok"], broken["estimate"]) == (False, None)
    assert broken["faults"][0]["file"] == "a"


def test_data_without_labels_in_an_inference(archive: Path) -> None:
    folder = decathlon(archive.parent / "more")
    file = archive / "config" / "dataset.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["validation"] = [{"image": str(path)} for path in sorted((folder / "imagesTr").iterdir())]
    file.write_text(json.dumps(content), encoding="utf-8")
    plan = evaluation_of(archive)
    assert preflight(replace(plan, do_validation=False)).ok
    assert len(preflight(plan).faults) == 6


def test_a_file_that_is_gone_weighs_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"12345")
    assert module._bytes([tmp_path / "there", tmp_path / "gone"]) == 5


def test_the_sample_takes_every_tenth_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READ_ALL_BELOW_BYTES", 0)
    files = [Path(f"/nowhere/{index}") for index in range(320)]
    assert list(module._chosen(files, "auto")) == files[::10]
    assert list(module._chosen(files[:32], "auto")) == files[:32]


def test_the_same_subject_in_two_roles_is_looked_at_in_both(archive: Path) -> None:
    one, two = uses_of(training_of(archive))
    item = module._subjects(one, [])[0]
    assert module._key(one, item) != module._key(two, item)


@pytest.fixture
def chest(tmp_path: Path) -> Path:
    """A classification archive."""
    return make_classification(tmp_path / "mmar", make_radiographs(tmp_path / "data", cases=8))


def relabelled(archive: Path, **labels: object) -> Path:
    """The archive with other labels in its data list, by the number of the training entry."""
    path = archive.parent / "data" / "dataset.json"
    content = json.loads(path.read_text())
    for number, label in labels.items():
        content["training"][int(number.removeprefix("at_"))]["label"] = label
    path.write_text(json.dumps(content))
    return archive


def test_a_sound_classification(chest: Path) -> None:
    report = preflight(plan_training(chest))
    assert (report.faults, report.warnings) == ((), ())
    assert (report.counts["subjects_training"], report.counts["labels_read"], report.counts["files"]) == (6, 8, 8)
    assert report.estimate is not None
    assert report.estimate.memory > 0


def test_label_vectors_that_do_not_fit_are_all_told(chest: Path) -> None:
    archive = relabelled(chest, at_0=[0, 1], at_2=[0, 3, 1], at_4=None)
    found = {fault.key: fault.found for fault in preflight(plan_training(archive)).faults}
    assert found == {
        "chest_001.label": "2 numbers",
        "chest_003.label[1]": "3",
        "chest_005.label": "no label",
    }


def test_damaged_pictures_are_told(chest: Path) -> None:
    path = chest.parent / "data" / "images" / "chest_002.png"
    path.write_bytes(path.read_bytes()[:100])
    (fault,) = preflight(plan_training(chest)).faults
    assert (fault.file, fault.expected) == (str(path), "a picture")


def test_one_picture_with_two_labels_is_judged_twice(chest: Path) -> None:
    path = chest.parent / "data" / "dataset.json"
    content = json.loads(path.read_text())
    content["training"].append({**content["training"][0], "label": [0, 0, 9]})
    path.write_text(json.dumps(content))
    assert [fault.found for fault in preflight(plan_training(chest)).faults] == ["9"]


def test_an_evaluation_by_vectors_needs_no_files(chest: Path) -> None:
    assert preflight(plan_evaluation(chest, do_validation=True)).faults == ()
