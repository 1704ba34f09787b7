"""What a plan asks of its data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_classification import make_archive, make_data
from vesalia.datatools.data_use import uses_of
from vesalia.imaging.geometry import Grid
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan, TrainPlan
from vesalia.mmar.validate import plan_evaluation, plan_training


def renamed(step: ComponentPlan, name: str, **args: object) -> ComponentPlan:
    return replace(step, name=name, args={**step.args, **args})


def test_training_reads_two_lists(training: TrainPlan, shared_archive: Path) -> None:
    one, two = uses_of(training)
    assert (one.where, one.key) == ("train.image_pipeline", "training")
    assert (two.where, two.key) == ("validate.image_pipeline", "validation")
    for use in (one, two):
        assert use.file == shared_archive / "config" / "dataset.json"
        assert use.base == shared_archive.parent / "data"
        assert use.needs_label
        assert use.loads_nifti
        assert (use.num_classes, use.image_channels, use.label_channels) == (3, 1, 1)


def test_training_without_validation_reads_one(training: TrainPlan) -> None:
    assert len(uses_of(replace(training, validate=None))) == 1


def test_an_evaluation_reads_one_list(evaluation: EvaluatePlan) -> None:
    (use,) = uses_of(evaluation)
    assert (use.key, use.needs_label, use.num_classes) == ("validation", True, None)


def test_an_evaluation_by_channels_of_the_label_says_so(evaluation: EvaluatePlan) -> None:
    judged = replace(evaluation.val_metrics[0], args={**evaluation.val_metrics[0].args, "is_one_hot_targets": True})
    found = [uses_of(replace(evaluation, val_metrics=(metric,)))[0] for metric in (evaluation.val_metrics[0], judged)]
    assert [use.has_label_channels for use in found] == [False, True]


def test_inference_needs_no_label(evaluation: EvaluatePlan) -> None:
    (use,) = uses_of(replace(evaluation, do_validation=False))
    assert not use.needs_label


def test_transforms_that_make_other_labels_leave_values_unjudged(training: TrainPlan) -> None:
    first, *rest = training.pre_transforms
    changed = replace(training, pre_transforms=(first, renamed(first, "ThresholdValues"), *rest))
    assert uses_of(changed)[0].num_classes is None
    assert uses_of(changed)[0].image_channels == 1
    for keep, classes in ((True, 3), (False, None)):
        cropped = replace(training, pre_transforms=(first, renamed(first, "Any", keep_classes=keep), *rest))
        assert uses_of(cropped)[0].num_classes == classes


def test_so_do_monais_own(training: TrainPlan) -> None:
    first = training.pre_transforms[0]
    mapped = renamed(first, "MonaiTransform", path="monai.transforms.MapLabelValued")
    flipped = renamed(first, "MonaiTransform", path="monai.transforms.Flipd")
    found = [uses_of(replace(training, pre_transforms=(step,)))[0].num_classes for step in (mapped, flipped)]
    assert found == [None, 3]


def test_transforms_that_are_not_ours_leave_channels_unjudged(training: TrainPlan) -> None:
    first, *rest = training.pre_transforms
    custom = replace(first, target=replace(first.target, origin="custom"))
    use = uses_of(replace(training, pre_transforms=(custom, *rest)))[0]
    assert (use.num_classes, use.image_channels) == (None, None)


def test_shapes_after_resampling(training: TrainPlan) -> None:
    use = uses_of(training)[0]
    assert use.resampled(Grid((20, 18, 17), np.diag([1.0, 1.5, 2.0, 1.0]))) == (20, 18, 17)
    assert use.resampled(Grid((20, 18, 17), np.diag([2.0, 3.0, 1.0, 1.0]))) == (40, 36, 8)


def test_shapes_that_are_given(training: TrainPlan) -> None:
    first, *_ = training.pre_transforms
    scaled = renamed(first, "ScaleToShape", target_shape=(8, 8, 8), fields=("image", "label"))
    use = uses_of(replace(training, pre_transforms=(first, scaled)))[0]
    assert use.resampled(Grid((20, 18, 17), np.eye(4))) == (8, 8, 8)


def test_resampling_of_the_label_alone_does_not_count(training: TrainPlan) -> None:
    first, *_ = training.pre_transforms
    scaled = renamed(first, "ScaleByResolution", target_resolution=(9.0, 9.0, 9.0), fields="label")
    use = uses_of(replace(training, pre_transforms=(first, scaled)))[0]
    assert use.resampled(Grid((20, 18, 17), np.eye(4))) == (20, 18, 17)


def test_other_loaders_are_not_looked_into(training: TrainPlan) -> None:
    _, *rest = training.pre_transforms
    assert not uses_of(replace(training, pre_transforms=tuple(rest)))[0].loads_nifti


def test_a_classification_says_its_label_format(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "mmar", make_data(tmp_path / "data", cases=2))
    use, _ = uses_of(plan_training(archive))
    assert (use.label_format, use.loads_pictures, use.loads_nifti) == ((1, 1, 1), True, False)


def test_channels_that_transforms_add_are_not_asked_of_the_files(training: TrainPlan) -> None:
    first, *rest = training.pre_transforms
    repeated = renamed(first, "RepeatChannel", fields=("image",), repeat_times=3)
    points = renamed(first, "AddExtremePointsChannel", image_field="image", label_field="label")
    pipeline = replace(training.image_pipeline, args={**training.image_pipeline.args, "output_image_channels": 3})
    for step, files in ((repeated, 1), (points, 2)):
        plan = replace(training, image_pipeline=pipeline, pre_transforms=(first, step, *rest))
        assert [use.image_channels for use in uses_of(plan)] == [files, 3]


def test_who_reads_labels_says_their_channels(training: TrainPlan) -> None:
    assert [use.labels_by for use in uses_of(training)] == [{1: "train.loss"}, {1: "validate.metrics[0]"}]
    loss = replace(training.loss, args={**training.loss.args, "is_onehot_targets": True})
    assert uses_of(replace(training, loss=loss))[0].labels_by == {3: "train.loss"}


def test_labels_that_transforms_make_are_not_asked_of_the_files(training: TrainPlan) -> None:
    first, *rest = training.pre_transforms
    split = renamed(first, "ConvertToMultiChannelBasedOnLabel", fields=("label",), labels=(0, 1, 2))
    assert uses_of(replace(training, pre_transforms=(first, split, *rest)))[0].labels_by == {}


def with_card(archive: Path, label_format: object) -> None:
    config = {"train": {"image_pipeline": {"args": {"output_label_format": label_format}}}}
    needed = {"model": {}, "in_channels": 1, "class_names": [], "sha256": "0"}
    card = {"format": "vesalia-model", "format_version": 1, **needed, "config": config}
    (archive / "models" / "model.json").write_text(json.dumps(card))


@pytest.mark.parametrize(("written", "found"), [([1, 2], (1, 2)), ("1,2", (1, 2)), (None, None), (["x"], None)])
def test_an_evaluation_judges_label_vectors_by_the_format_of_the_weights(
    tmp_path: Path, written: object, found: tuple[int, ...] | None
) -> None:
    archive = make_archive(tmp_path / "mmar", make_data(tmp_path / "data", cases=2))
    (before,) = uses_of(plan_evaluation(archive, do_validation=True))
    with_card(archive, written)
    plan = plan_evaluation(archive, do_validation=True)
    assert before.label_format is None
    assert uses_of(plan)[0].label_format == found
    assert uses_of(replace(plan, do_validation=False))[0].label_format is None


def test_code_of_the_archive_is_not_asked_for_its_weights(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "mmar", make_data(tmp_path / "data", cases=2))
    with_card(archive, [1])
    plan = plan_evaluation(archive, do_validation=True)
    assert plan.model_loader is not None
    loader = replace(plan.model_loader, target=replace(plan.model_loader.target, origin="custom"))
    assert uses_of(replace(plan, model_loader=loader))[0].label_format is None
