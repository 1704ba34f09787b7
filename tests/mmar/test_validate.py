"""Plans as a whole: v3 configs in all their shapes, many faults at once, and no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, VALIDATION, changed, lines, make, pipeline, training
from vesalia.errors import ConfigError, VesaliaError
from vesalia.mmar import validate
from vesalia.mmar.validate import plan_evaluation, plan_training


def test_a_sound_config(tmp_path: Path) -> None:
    plan = training(tmp_path / "a")
    assert (plan.epochs, plan.valid_every, plan.learning_rate) == (10, 5, 1e-3)
    assert plan.config_file == tmp_path / "a" / "config" / "config_train.json"
    assert plan.checkpoint_dir == tmp_path / "a" / "models"
    assert plan.variables["DATA_ROOT"] == str(tmp_path / "a" / "data")
    assert plan.pre_transforms[1].args == {"fields": ("image", "label")}
    assert plan.model.args["nf_enc"] == (8, 8)
    assert "in_channels" not in plan.model.defaults
    assert plan.pre_transforms[4].where == "train.pre_transforms[4]"
    assert plan.validate is not None
    assert plan.validate.key_metric is plan.validate.metrics[0]
    assert plan.warnings == ()


def test_a_plan_survives_the_way_to_another_process(tmp_path: Path) -> None:
    plan = training(tmp_path / "a")
    assert pickle.loads(pickle.dumps(plan)) == plan  # noqa: S301 - our own bytes


def test_many_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(
            tmp_path / "a",
            "learning_rte=1",
            epochs="many",
            train__loss__name="Dise",
            train__pre_transforms__2__args__target_resolution=0.0,
            train__image_pipeline__args__data_list_key="trainin",
            validate__metrics__0__args__is_key_metric="perhaps",
            validate__inferer__args__roi_sise=[1, 1, 1],
        )
    assert [fault.key for fault in caught.value.faults] == [
        "learning_rte",
        "epochs",
        "train.pre_transforms[2].args.target_resolution",
        "train.loss.name",
        "validate.inferer.args.roi_sise",
        "validate.metrics[0].args.is_key_metric",
        "train.image_pipeline.args.data_list_key",
    ]
    assert all(fault.found and fault.expected and fault.write for fault in caught.value.faults)


FAST_CROP = {
    "name": "FastCropByPosNegRatio",
    "args": {"size": [96, 96, 96], "fields": "image", "label_field": "label", "pos": 1, "neg": 1, "batch_size": 3,
             "batches_to_gen_at_once": 48},
}  # fmt: skip
CACHED = {"name": "SegmentationImagePipelineWithCache"}


def test_the_shape_of_the_performance_configs(tmp_path: Path) -> None:
    cached = {
        **pipeline("training", output_batch_size=4, num_cache_objects=32, replace_percent=0.0, num_workers=4),
        **CACHED,
    }
    plan = training(
        tmp_path / "a",
        "TRAIN_KEY=training",
        multi_gpu=False,
        dynamic_input_shape=True,
        use_amp="true",
        use_scanning_window=True,
        train__model__args={
            "num_classes": 2, "nf_enc": "32,64,64,64", "nf_dec": "64,64,64,64,64,32,32",
            "use_batch_norm": False, "use_group_norm": True, "reg_weight": 1e-4,
        },
        train__optimizer={"name": "NovoGrad"},
        train__lr_policy=None,
        train__pre_transforms__3=FAST_CROP,
        train__pre_transforms__4={"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 0.10}},
        train__batch_transforms=[{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}],
        train__image_pipeline=changed(cached, args__data_list_key="{TRAIN_KEY}"),
        validate__image_pipeline={**pipeline("validation", num_cache_objects=9, replace_percent=0), **CACHED},
    )  # fmt: skip
    assert plan.image_pipeline.args["data_list_key"] == "training"
    assert plan.use_amp is True
    assert not plan.warnings


def test_the_shape_of_the_search_configs(tmp_path: Path) -> None:
    train = changed(
        TRAIN,
        search=[{"domain": "lr", "type": "float", "args": ["learning_rate"], "targets": [0.0001, 0.01]}],
        train__model={
            "name": "SegResnet",
            "args": {"num_classes": 2, "blocks_down": "1,2,2,4", "blocks_up": "1,1,1", "init_filters": 4,
                     "use_batch_norm": False, "use_group_norm": True, "final_activation": "softmax"},
            "search": [{"type": "enum", "args": ["init_filters"], "targets": [[2], [4]], "domain": "net"}],
        },
        train__loss=[
            {"name": "Dice", "args": {"skip_background": False}, "apply": {"loss_selected": "dice"}},
            {"name": "Focal", "disabled": True, "apply": {"loss_selected": "focal"}},
        ],
        train__aux_ops=[{"name": "DiceMaskedOutput", "args": {"is_onehot_targets": False, "skip_background": True,
                                                              "is_independent_predictions": False, "tags": ["dice"]}}],
        train__pre_transforms__3={"name": "CropFixedSizeRandomCenter", "args": {"fields": ["image", "label"],
                                                                                "size": [64, 64, 64]}},
        train__image_pipeline__args__output_crop_size=[64, 64, 64],
        validate__inferer={"name": "TFSimpleInferer"},
        validate__metrics=[{"name": "ComputeAverage", "args": {"name": "mean_dice", "is_key_metric": True,
                                                               "field": "dice"}}],
    )  # fmt: skip
    make(tmp_path / "a", train=train)
    plan = plan_training(tmp_path / "a")
    assert (plan.loss.name, plan.model.args["init_filters"]) == ("Dice", 4)
    assert not plan.warnings


def test_an_offset_may_stand_in_for_the_upper_end(tmp_path: Path) -> None:
    scale = {"name": "ScaleIntensityRange", "args": {"fields": "image", "a_min": -57, "a_offset": 200, "b_min": 0.0,
                                                     "b_max": 1.0, "clip": "true"}}  # fmt: skip
    plan = training(tmp_path / "a", train__pre_transforms__4=scale)
    assert plan.pre_transforms[4].args["clip"] is True


def test_the_example_in_the_repository_is_sound() -> None:
    data = Path(__file__).parents[2] / "examples" / "hippocampus"
    if not (data / "config").is_dir():
        pytest.skip("the examples are not here: tests are run from an installed package")
    for plan in (plan_training, plan_evaluation):
        with pytest.raises(ConfigError) as caught:
            plan(data, overrides=["DATASET_JSON=/none.json"])
        assert [fault.key for fault in caught.value.faults] == ["DATASET_JSON"], "only the data is not there"


def test_a_part_that_is_missing_without_a_fault_is_our_mistake() -> None:
    with pytest.raises(VesaliaError, match="a mistake in Vesalia"):
        validate._sure(None)


def test_planning_loads_no_torch(tmp_path: Path) -> None:
    make(tmp_path / "a")
    code = (
        "import sys, time\n"
        "from vesalia.mmar.validate import plan_training, plan_evaluation\n"
        "import vesalia.mmar.build\n"
        f"plan_training({str(tmp_path / 'a')!r}); plan_evaluation({str(tmp_path / 'a')!r})\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_plan_does_not_share_its_data_with_the_texts(tmp_path: Path) -> None:
    before = copy.deepcopy((TRAIN, VALIDATION))
    make(tmp_path / "a")
    plan_training(tmp_path / "a")
    plan_evaluation(tmp_path / "a")
    assert before == (TRAIN, VALIDATION)


def test_faults_hold_their_four_parts_as_data(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "a", epochs=0)
    expected: dict[str, Any] = {
        "file": "config/config_train.json",
        "key": "epochs",
        "found": "0",
        "expected": "a whole number of 1 or more",
        "write": "100",
    }
    assert caught.value.faults[0].to_dict() == expected
    assert lines(caught.value) == [
        "config/config_train.json: epochs: found 0, expected a whole number of 1 or more; write 100"
    ]
