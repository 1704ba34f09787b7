"""Inference: lists of subjects with resuming, single images from files, arrays and volumes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imaging.turned import to_orientation
from tests.inference.tiny import SPACING, EchoModel, echo_loaded, make_archive, make_data
from vesalia.components.inferers.simple import TFSimpleInferer
from vesalia.errors import ConfigError, DataError, Fault, Interrupted
from vesalia.imaging.nifti import read_volume, write_volume
from vesalia.imaging.volume import Volume
from vesalia.inference import assemble as assembling
from vesalia.inference import infer as module
from vesalia.inference.assemble import Assembly, InferenceOptions, assemble
from vesalia.inference.evaluate import evaluate
from vesalia.inference.infer import infer, infer_image
from vesalia.inference.predict import Predictor
from vesalia.inference.weights import LoadedModel
from vesalia.mmar.plan import EvaluatePlan
from vesalia.mmar.validate import plan_evaluation
from vesalia.runtime.interrupts import StopRequest

CODES = [
    "".join(letters) for order in itertools.permutations(["RL", "AP", "SI"]) for letters in itertools.product(*order)
]
RESUME = InferenceOptions(resume=True)


def use_weights(monkeypatch: pytest.MonkeyPatch, sha256: str) -> None:
    """Inference gets the echo model under this hash."""

    def load(prefix: Path, **_: object) -> LoadedModel:
        loaded = echo_loaded(Path(prefix))
        return replace(loaded, card={**loaded.card, "sha256": sha256})

    monkeypatch.setattr("vesalia.inference.assemble.load_weights", load)


def stopped_after_two(plan: EvaluatePlan) -> None:
    """Infer, and ask to stop while the second subject is in work."""
    stop = StopRequest()

    def progress(done: int, total: int, subject: str) -> None:  # noqa: ARG001
        stop.signal_number = 2 if done == 1 else None

    with pytest.raises(Interrupted):
        infer(plan, progress=progress, stop=stop)


@pytest.mark.usefixtures("echo")
def test_every_subject_is_written_and_no_label_is_needed(root: Path) -> None:
    path = root.parent / "data" / "dataset.json"
    data = json.loads(path.read_text())
    data["validation"] = [{"image": entry["image"]} for entry in data["validation"]]
    path.write_text(json.dumps(data))
    result = infer(plan_evaluation(root, do_validation=False, output_infer_result=True))
    assert [case.subject for case in result.cases] == ["case_0", "case_1", "case_2"]
    assert all(path.is_file() for case in result.cases for path in case.files)
    assert result.skipped == ()
    assert json.loads(json.dumps(result.to_dict()))["output_dir"] == str(root / "eval")


@pytest.mark.usefixtures("echo")
def test_infer_writes_whatever_the_switches_of_the_config_say(root: Path) -> None:
    result = infer(plan_evaluation(root, do_validation=True, output_infer_result=False))
    assert len(result.cases) == 3
    assert not (root / "eval" / "metrics.json").exists()


@pytest.mark.usefixtures("echo")
def test_resuming_skips_what_is_there(plan: EvaluatePlan) -> None:
    first = infer(plan)
    (first.cases[1].files[0]).unlink()
    stamps = [case.files[0].stat().st_mtime_ns for case in (first.cases[0], first.cases[2])]
    second = infer(plan, RESUME)
    assert [case.subject for case in second.cases] == ["case_1"]
    assert second.skipped == ("case_0", "case_2")
    assert stamps == [case.files[0].stat().st_mtime_ns for case in (first.cases[0], first.cases[2])]


@pytest.mark.usefixtures("echo")
def test_without_resume_everything_is_done_again(plan: EvaluatePlan) -> None:
    infer(plan)
    assert len(infer(plan).cases) == 3


def test_after_other_weights_only_the_subjects_left_are_done(
    plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model A predicts all; model B is stopped after two; going on with B does the third anew, though A's is there."""
    use_weights(monkeypatch, "a")
    infer(plan)
    use_weights(monkeypatch, "b")
    stopped_after_two(plan)
    result = infer(plan, RESUME)
    assert result.skipped == ("case_0", "case_1")
    assert [case.subject for case in result.cases] == ["case_2"]


@pytest.mark.usefixtures("echo")
def test_another_patient_of_the_same_file_name_is_not_skipped(plan: EvaluatePlan, tmp_path: Path) -> None:
    for index, patient in enumerate("ab"):
        (tmp_path / patient).mkdir()
        (tmp_path / patient / "scan.nii.gz").write_bytes(
            (plan.data_root / "image" / f"case_{index}.nii.gz").read_bytes()
        )
    infer(plan, images=[tmp_path / "a" / "scan.nii.gz"])
    assert infer(plan, RESUME, images=[tmp_path / "a" / "scan.nii.gz"]).skipped == ("scan",)
    result = infer(plan, RESUME, images=[tmp_path / "b" / "scan.nii.gz"])
    assert result.skipped == ()
    truth = read_volume(plan.data_root / "label" / "case_1.nii.gz")
    assert torch.equal(read_volume(result.cases[0].files[0]).data, truth.data)


@pytest.mark.usefixtures("echo")
def test_predictions_of_an_evaluation_count(root: Path) -> None:
    evaluate(plan_evaluation(root, do_validation=True, output_infer_result=True))
    result = infer(plan_evaluation(root, do_validation=False, output_infer_result=True), RESUME)
    assert result.skipped == ("case_0", "case_1", "case_2")


@pytest.mark.usefixtures("echo")
def test_results_of_another_config_are_not_kept(plan: EvaluatePlan) -> None:
    infer(plan)
    assert infer(replace(plan, raw={**plan.raw, "batch_size": 2}), RESUME).skipped == ()


@pytest.mark.usefixtures("echo")
def test_a_file_named_by_dots_stays_in_the_folder(plan: EvaluatePlan) -> None:
    image = plan.data_root / "...nii.gz"
    image.write_bytes((plan.data_root / "image" / "case_0.nii.gz").read_bytes())
    (case,) = infer(plan, images=[image]).cases
    assert case.files[0].resolve().is_relative_to(plan.output_dir.resolve())
    assert case.files[0].parent != plan.output_dir


@pytest.mark.usefixtures("echo")
def test_images_that_no_list_names(plan: EvaluatePlan) -> None:
    images = [plan.data_root / "image" / name for name in ("case_2.nii.gz", "case_0.nii.gz")]
    result = infer(plan, images=images)
    assert [case.subject for case in result.cases] == ["case_2", "case_0"]
    with pytest.raises(DataError, match="no such file"):
        infer(plan, images=[plan.data_root / "absent.nii.gz"])


@pytest.mark.usefixtures("echo")
def test_a_stopped_inference_goes_on(plan: EvaluatePlan) -> None:
    stopped_after_two(plan)
    result = infer(plan, RESUME)
    assert result.skipped == ("case_0", "case_1")
    assert [case.subject for case in result.cases] == ["case_2"]


@pytest.mark.usefixtures("echo")
def test_broken_subjects_are_named(plan: EvaluatePlan) -> None:
    (plan.data_root / "image" / "case_0.nii.gz").write_bytes(b"no image")
    with pytest.raises(DataError, match="1 of 3 subjects failed"):
        infer(plan)
    assert (plan.output_dir / "case_2" / "case_2_model.nii.gz").is_file()


@pytest.mark.usefixtures("echo")
def test_the_warnings_of_the_plan_are_passed_on(plan: EvaluatePlan) -> None:
    odd = replace(plan, warnings=(Fault("c.json", "zzz", "a key that nothing reads"),))
    result = infer(odd)
    assert result.warnings == odd.warnings
    assert result.to_dict()["warnings"][0]["key"] == "zzz"


def test_a_plan_without_writers_is_refused(plan: EvaluatePlan) -> None:
    with pytest.raises(ConfigError, match=r"config_validation\.json: writers: found none"):
        infer(replace(plan, writers=()))


@pytest.mark.usefixtures("echo")
def test_one_file(plan: EvaluatePlan) -> None:
    truth = read_volume(plan.data_root / "label" / "case_1.nii.gz")
    for image in (plan.data_root / "image" / "case_1.nii.gz", str(plan.data_root / "image" / "case_1.nii.gz")):
        predicted = infer_image(plan, image)
        assert torch.equal(predicted.as_batch()[0, 0].float(), truth.data)
        assert np.allclose(predicted.placed, SPACING)


@pytest.mark.usefixtures("echo")
def test_one_array_or_volume(plan: EvaluatePlan) -> None:
    truth = read_volume(plan.data_root / "label" / "case_1.nii.gz")
    array = truth.data.numpy()
    for image in (array, array.astype(np.int16), array.astype(">i2"), truth):
        predicted = infer_image(plan, image, affine=SPACING)
        assert torch.equal(predicted.as_batch()[0, 0].float(), truth.data)
        assert np.allclose(predicted.placed, SPACING)
    assert np.allclose(infer_image(plan, array).placed, np.eye(4))


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((2, 2, 2, 2, 2)), np.array([["a"]])])
def test_what_is_no_image_is_refused(plan: EvaluatePlan, array: npt.NDArray[np.float64]) -> None:
    with pytest.raises(DataError, match="image: found an array of shape"):
        infer_image(plan, array)


def one_mm_plan(folder: Path, *, canonical: bool) -> EvaluatePlan:
    """An archive that resamples to 1 mm and says nothing of the way back."""
    root = make_archive(folder / "tiny", make_data(folder / "data"))
    path = root / "config" / "config_validation.json"
    config = json.loads(path.read_text())
    load, first = config["pre_transforms"]
    load["args"]["as_closest_canonical"] = canonical
    scale = {
        "name": "ScaleByResolution",
        "args": {"fields": "image", "target_resolution": [1.0, 1.0, 1.0], "is_label": True},
    }
    path.write_text(json.dumps({**config, "pre_transforms": [load, first, scale]}))
    return plan_evaluation(root, do_validation=False, output_infer_result=True)


@pytest.fixture(scope="module")
def isotropic(tmp_path_factory: pytest.TempPathFactory) -> EvaluatePlan:
    return one_mm_plan(tmp_path_factory.mktemp("isotropic"), canonical=False)


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> EvaluatePlan:
    return one_mm_plan(tmp_path_factory.mktemp("turning"), canonical=True)


def echo_assembly(plan: EvaluatePlan) -> Assembly:
    loaded = echo_loaded(Path("models/model"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembling, "load_weights", lambda *_, **__: loaded)
        objects = assemble(plan)
    return replace(objects, predictor=Predictor.ready(EchoModel(), TFSimpleInferer()))


@settings(max_examples=30)
@given(
    codes=st.sampled_from(CODES),
    angles=st.tuples(*[st.floats(-0.4, 0.4)] * 3),
    spacing=st.tuples(*[st.sampled_from([1.0, 2.0, 3.0])] * 3),
)
def test_the_answer_lies_on_the_images_own_grid_whatever_its_orientation(
    isotropic: EvaluatePlan,
    tmp_path_factory: pytest.TempPathFactory,
    codes: str,
    angles: tuple[float, float, float],
    spacing: tuple[float, float, float],
) -> None:
    i, j, k = np.meshgrid(*[np.arange(n) for n in (9, 8, 7)], indexing="ij")
    classes = ((i > 2) & (i < 7) & (j > 1) & (k > 1) & (k < 6)).astype(np.float32) * (1 + (j > 4))
    affine = np.eye(4)
    affine[:3, :3] = rotation(*angles) @ np.diag(spacing)
    affine[:3, 3] = (-30, 12, 5)
    image = to_orientation(Volume(torch.from_numpy(classes.astype(np.float32)), affine), codes)
    path = write_volume(image, tmp_path_factory.mktemp("image") / "image.nii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "assemble", lambda *_: echo_assembly(isotropic))
        predicted = infer_image(isotropic, path)
    assert predicted.spatial_shape == image.spatial_shape
    assert np.allclose(predicted.placed, image.placed, atol=1e-4)
    # Nearest neighbour to 1 mm and back is exact for whole spacings: every voxel of 1 mm lies in one voxel.
    assert torch.equal(predicted.as_batch()[0, 0].float(), image.data)


def rotation(x: float, y: float, z: float) -> npt.NDArray[np.float64]:
    cosine, sine = np.cos([x, y, z]), np.sin([x, y, z])
    about_x = np.array([[1, 0, 0], [0, cosine[0], -sine[0]], [0, sine[0], cosine[0]]])
    about_y = np.array([[cosine[1], 0, sine[1]], [0, 1, 0], [-sine[1], 0, cosine[1]]])
    about_z = np.array([[cosine[2], -sine[2], 0], [sine[2], cosine[2], 0], [0, 0, 1]])
    turned: npt.NDArray[np.float64] = about_x @ about_y @ about_z
    return turned


def placed_as(codes: str) -> npt.NDArray[np.float64]:
    """An affine with these axis codes and voxels of 1 x 2 x 3 mm along the file's axes; "oblique" is turned besides."""
    affine = np.eye(4)
    if codes == "oblique":
        affine[:3, :3] = rotation(0.3, -0.2, 0.25) @ np.diag((1.0, 2.0, 3.0))
    else:
        affine[:3, :3] = 0
        for axis, (world, sign) in enumerate(nib.orientations.axcodes2ornt(codes)):
            affine[int(world), axis] = sign * (axis + 1)
    affine[:3, 3] = (-30, 12, 5)
    return affine


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("codes", [*CODES, "oblique"])
def test_the_file_that_is_written_lies_on_the_image_file(turning: EvaluatePlan, tmp_path: Path, codes: str) -> None:
    i, j, k = np.meshgrid(*[np.arange(n) for n in (9, 8, 7)], indexing="ij")
    classes = (((i > 2) & (i < 7) & (j > 1) & (k > 1) & (k < 6)) * (1 + (j > 4))).astype(np.int16)
    nib.save(nib.Nifti1Image(classes, placed_as(codes)), tmp_path / "image.nii.gz")
    result = infer(replace(turning, output_dir=tmp_path / "eval"), images=[tmp_path / "image.nii.gz"])
    given: Any = nib.load(tmp_path / "image.nii.gz")
    written: Any = nib.load(result.cases[0].files[0])
    predicted = np.asarray(written.dataobj).squeeze()
    for value in (1, 2):
        found, wanted = predicted == value, classes == value
        assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) == 1.0
    assert np.array_equal(written.affine, given.affine)
    assert np.array_equal(written.header.get_zooms()[:3], given.header.get_zooms())
