"""Runs by a plan: files in, files out, records, resuming, faults and stops; never with torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from vesalia.deploy.runner import room, run
from vesalia.deploy.runner.openvino import has_openvino
from vesalia.deploy.runner.plan import read_plan
from vesalia.deploy.runner.run import infer, open_plan
from vesalia.deploy.runner.volume import Sample
from vesalia.errors import CheckpointError, ConfigError, DataError, Interrupted, ResourceError
from vesalia.pipelines.datalist import items_of
from vesalia.runtime.interrupts import StopRequest


def test_labels_on_the_grid_of_each_image(plan: Path, images: list[Path], tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    result = infer(read_plan(plan), items_of(images), output=tmp_path / "out", progress=lambda *now: told.append(now))
    assert told == [(0, 3, "case_0"), (1, 3, "case_1"), (2, 3, "case_2"), (3, 3, "")]
    for image, case in zip(images, result.cases, strict=True):
        wanted, found = (nib.Nifti1Image.from_filename(path) for path in (image, case.files[0]))
        np.testing.assert_array_equal(np.asarray(found.dataobj), wanted.get_fdata().round())
        np.testing.assert_array_equal(found.affine, wanted.affine)
    assert result.to_dict()["engine"] == "onnx"
    assert result.to_dict()["cases"][0]["files"] == [str(tmp_path / "out" / "case_0" / "case_0_model.nii.gz")]


@pytest.mark.parametrize("mode", ["constant", "gaussian"])
def test_labels_in_either_engine(mode: str, plan: Path, images: list[Path], tmp_path: Path) -> None:
    """Windows overlap and are weighted in place: what an engine gives is used up before it gives the next."""
    if not has_openvino():
        pytest.skip("the extra openvino is not installed")
    data = json.loads(plan.read_text())
    data["inferer"]["args"].update(overlap=0.5, mode=mode, batch_size=3)
    plan.write_text(json.dumps(data))
    labels = {}
    for device in ("cpu", "openvino"):
        result = infer(read_plan(plan), items_of(images), output=tmp_path / device, device=device)
        assert result.to_dict()["device"] == device
        labels[device] = [nib.Nifti1Image.from_filename(case.files[0]).get_fdata() for case in result.cases]
    for one, other in zip(labels["cpu"], labels["openvino"], strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_it_takes_of_the_memory_is_told_first(plan: Path, images: list[Path], tmp_path: Path) -> None:
    told: list[str] = []

    class Progress:
        def __call__(self, *now: object) -> None:
            told.append(str(now[-1]))

        def note(self, words: str) -> None:
            told.append(words)

    infer(read_plan(plan), items_of(images), output=tmp_path / "out", progress=Progress())
    assert told[1:] == ["case_0", "case_1", "case_2", ""]
    said = "for case_0 (12 x 10 x 8 voxels, 4 windows, decided one by one): "
    assert (told[0].startswith("memory: about"), said in told[0]) == (True, True)


def test_no_subject_is_begun_where_memory_is_short(
    plan: Path, images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "available_memory_bytes", lambda: 1000)
    told: list[object] = []
    with pytest.raises(ResourceError, match="found a need of at least"):
        infer(read_plan(plan), items_of(images), output=tmp_path / "out", progress=lambda *now: told.append(now))
    assert told == []


def test_one_image_and_nothing_written(plan: Path, images: list[Path]) -> None:
    sample = open_plan(read_plan(plan)).finished(items_of(images[:1])[0])
    assert sample["model"].data.max() == 2


def test_results_that_are_there_are_left(plan: Path, images: list[Path], tmp_path: Path) -> None:
    items, out = items_of(images), tmp_path / "out"
    infer(read_plan(plan), items[:2], output=out)
    record = json.loads((out / "case_0" / "prediction.json").read_text())
    assert (record["engine"], [fact["path"] for fact in record["files"]["image"]]) == ("onnx", [str(images[0])])
    again = infer(read_plan(plan), items, output=out, resume=True)
    assert (again.skipped, [case.subject for case in again.cases]) == (("case_0", "case_1"), ["case_2"])
    data = json.loads(plan.read_text())
    data["inferer"]["args"]["overlap"] = 0.5
    plan.write_text(json.dumps(data))
    assert infer(read_plan(plan), items, output=out, resume=True).skipped == ()


def test_a_broken_image_is_named_and_the_others_are_done(plan: Path, images: list[Path], tmp_path: Path) -> None:
    images[1].write_bytes(b"no image")
    with pytest.raises(DataError, match=r"1 of 3 subjects failed; the results of the other 2 .*\n.*case_1.*LoadNifti"):
        infer(read_plan(plan), items_of(images), output=tmp_path / "out")
    assert (tmp_path / "out" / "case_2" / "case_2_model.nii.gz").is_file()
    with pytest.raises(DataError, match="there are no results"):
        infer(read_plan(plan), items_of(images[1:2]), output=tmp_path / "out")


def test_a_stop_is_heard_between_subjects(plan: Path, images: list[Path], tmp_path: Path) -> None:
    stop = StopRequest()

    def ask(done: int, *_: object) -> None:
        stop.signal_number = 15 if done == 1 else None

    with pytest.raises(Interrupted, match="stopped after 2 of 3 subjects"):
        infer(read_plan(plan), items_of(images), output=tmp_path / "out", progress=ask, stop=stop)


def test_what_cannot_begin_is_refused_at_once(plan: Path, images: list[Path], tmp_path: Path) -> None:
    data = json.loads(plan.read_text())
    plan.write_text(json.dumps({**data, "writers": []}))
    with pytest.raises(ConfigError, match="writers: found none, expected at least one"):
        infer(read_plan(plan), items_of(images), output=tmp_path / "out")
    plan.write_text(json.dumps(data))
    plan.with_name("model.onnx").write_bytes(b"another")
    with pytest.raises(CheckpointError, match="found another network"):
        infer(read_plan(plan), items_of(images), output=tmp_path / "out")


def test_a_record_in_the_way(plan: Path, images: list[Path], tmp_path: Path) -> None:
    (tmp_path / "out" / "case_0" / "prediction.json").mkdir(parents=True)
    with pytest.raises(ResourceError, match=r"prediction.json: found that it cannot be written"):
        infer(read_plan(plan), items_of(images[:1]), output=tmp_path / "out")


def test_an_image_that_has_gone(plan: Path, images: list[Path], tmp_path: Path) -> None:
    items = items_of(images[:1])
    images[0].unlink()
    with pytest.raises(DataError, match="found no such file"):
        infer(read_plan(plan), items, output=tmp_path / "out", resume=True)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (MemoryError(), ResourceError, "a .*: step: found too little memory for this subject"),
        (TypeError("no"), DataError, r"a .*: step: found an error \(TypeError: no\)"),
        (ConfigError("as it is"), ConfigError, "^as it is"),
    ],
)
def test_errors_name_step_and_subject(raised: Exception, kind: type[Exception], said: str) -> None:
    def fail(_: Sample) -> Sample:
        raise raised

    with pytest.raises(kind, match=said):
        run._named("step", Sample(name="a"), work=fail)


@pytest.mark.slow
def test_nothing_is_imported_that_the_distribution_without_torch_lacks(
    plan: Path, images: list[Path], tmp_path: Path
) -> None:
    code = """\
import sys
for missing in ("torch", "monai", "lightning_fabric", "safetensors", "tensorboard", "filelock", "PIL", "onnx"):
    sys.modules[missing] = None
from vesalia.cli.main import main
try:
    main(sys.argv[1:])
finally:
    assert not [name for name in sys.modules if name.split(".")[0] == "torch" and sys.modules[name] is not None]
"""
    arguments = ["infer", str(plan), str(images[0]), "--output", str(tmp_path / "out"), "--engine", "onnx"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "case_0" / "case_0_model.nii.gz").is_file()
