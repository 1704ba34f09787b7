"""Inference: lists of subjects with resuming, single images from files, arrays and volumes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inference.tiny import SPACING, EchoModel, echo_loaded, make_archive, make_data
from vesalia.components.inferers.simple import TFSimpleInferer
from vesalia.errors import ConfigError, DataError, Interrupted
from vesalia.imaging.nifti import read_volume, write_volume
from vesalia.imaging.orientation import to_orientation
from vesalia.imaging.volume import Volume
from vesalia.inference.assemble import Assembly, InferenceOptions, assemble
from vesalia.inference.infer import RECORD_FILE, infer, infer_image
from vesalia.inference.predict import Predictor
from vesalia.inference.weights import LoadedModel
from vesalia.mmar.plan import EvaluatePlan
from vesalia.mmar.validate import plan_evaluation
from vesalia.runtime.interrupts import StopRequest

CODES = [
    "".join(letters) for order in itertools.permutations(["RL", "AP", "SI"]) for letters in itertools.product(*order)
]
RESUME = InferenceOptions(resume=True)


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


@pytest.mark.usefixtures("echo")
def test_results_of_other_weights_are_not_kept(plan: EvaluatePlan) -> None:
    infer(plan)
    record = plan.output_dir / RECORD_FILE
    for text in (json.dumps({"weights_sha256": "another"}), "not json", "[]"):
        record.write_text(text)
        assert infer(plan, RESUME).skipped == ()


@pytest.mark.usefixtures("echo")
def test_results_of_another_config_are_not_kept(plan: EvaluatePlan) -> None:
    infer(plan)
    assert infer(replace(plan, raw={**plan.raw, "batch_size": 2}), RESUME).skipped == ()


@pytest.mark.usefixtures("echo")
def test_images_that_no_list_names(plan: EvaluatePlan) -> None:
    images = [plan.data_root / "image" / name for name in ("case_2.nii.gz", "case_0.nii.gz")]
    result = infer(plan, images=images)
    assert [case.subject for case in result.cases] == ["case_2", "case_0"]
    with pytest.raises(DataError, match="no such file"):
        infer(plan, images=[plan.data_root / "absent.nii.gz"])


@pytest.mark.usefixtures("echo")
def test_a_stopped_inference_goes_on(plan: EvaluatePlan) -> None:
    stop = StopRequest()

    def progress(done: int, total: int, subject: str) -> None:  # noqa: ARG001
        stop.signal_number = 2 if done == 1 else None

    with pytest.raises(Interrupted):
        infer(plan, progress=progress, stop=stop)
    result = infer(plan, RESUME)
    assert result.skipped == ("case_0", "case_1")
    assert [case.subject for case in result.cases] == ["case_2"]


@pytest.mark.usefixtures("echo")
def test_broken_subjects_are_named(plan: EvaluatePlan) -> None:
    (plan.data_root / "image" / "case_0.nii.gz").write_bytes(b"no image")
    with pytest.raises(DataError, match="1 of 3 subjects failed"):
        infer(plan)
    assert (plan.output_dir / "case_2" / "case_2_model.nii.gz").is_file()


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
    for image in (array, array.astype(np.int16), truth):
        predicted = infer_image(plan, image, affine=SPACING)
        assert torch.equal(predicted.as_batch()[0, 0].float(), truth.data)
        assert np.allclose(predicted.placed, SPACING)
    assert np.allclose(infer_image(plan, array).placed, np.eye(4))


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("array", [np.zeros(4), np.zeros((2, 2, 2, 2, 2)), np.array([["a"]])])
def test_what_is_no_image_is_refused(plan: EvaluatePlan, array: npt.NDArray[np.float64]) -> None:
    with pytest.raises(DataError, match="image: found an array of shape"):
        infer_image(plan, array)


def test_many_images_with_one_model(plan: EvaluatePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    from vesalia.inference import assemble as module

    calls: list[Path] = []

    def loading(prefix: Path, **_: object) -> LoadedModel:
        calls.append(prefix)
        return echo_loaded(prefix)

    monkeypatch.setattr(module, "load_weights", loading)
    objects = assemble(plan)
    for _ in range(3):
        infer_image(plan, np.zeros((8, 8, 8), np.float32), assembly=objects)
    assert len(calls) == 1


@pytest.fixture(scope="module")
def isotropic(tmp_path_factory: pytest.TempPathFactory) -> EvaluatePlan:
    """An archive that resamples to 1 mm and says nothing of the way back."""
    folder = tmp_path_factory.mktemp("isotropic")
    root = make_archive(folder / "tiny", make_data(folder / "data"))
    path = root / "config" / "config_validation.json"
    config = json.loads(path.read_text())
    scale = {
        "name": "ScaleByResolution",
        "args": {"fields": "image", "target_resolution": [1.0, 1.0, 1.0], "is_label": True},
    }
    path.write_text(json.dumps({**config, "pre_transforms": [*config["pre_transforms"], scale]}))
    return plan_evaluation(root, do_validation=False, output_infer_result=True)


def echo_assembly(plan: EvaluatePlan) -> Assembly:
    loaded = echo_loaded(Path("models/model"))
    with pytest.MonkeyPatch.context() as patch:
        from vesalia.inference import assemble as module

        patch.setattr(module, "load_weights", lambda *_, **__: loaded)
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
    predicted = infer_image(isotropic, path, assembly=echo_assembly(isotropic))
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
