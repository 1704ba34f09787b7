"""Fifteen things that v3 does and an implementer would get wrong: one group of tests each, in v3's own configs.

The numbers are those of the list in the reference that these tests were written from; what is shown in detail
elsewhere is shown here once, where a config means it.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.end_to_end.public_configs.archives import build, data_settings, public
from tests.end_to_end.public_configs.evaluations import EVALUATIONS
from tests.end_to_end.public_configs.pieces import Config, PublicConfig, component, crop_fast, merge
from tests.end_to_end.public_configs.reduction import reduced, shrunk
from vesalia.api import Archive
from vesalia.components.losses.cross_entropy import CrossEntropy
from vesalia.components.losses.dice import Dice
from vesalia.components.losses.focal import Focal
from vesalia.components.models.segresnet import SegResnet
from vesalia.components.optimizers.novograd import NovoGrad
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.weights import load_weights
from vesalia.mmar.build import build as made
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_training
from vesalia.pipelines.smart_cache import replaced_per_epoch, window_of
from vesalia.training.result import TrainResult
from vesalia.transforms.crop.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from vesalia.transforms.intensity.add_gaussian_noise import AddGaussianNoise

pytestmark = pytest.mark.slow

Listed = Callable[[int], list[str]]


@pytest.fixture
def listed(tmp_path: Path, dataset: Callable[[str], Path]) -> Listed:
    """Settings for a list of as many training items as wanted: v3's examples list one volume many times."""
    file = dataset("spleen")

    def give(count: int) -> list[str]:
        content = json.loads(file.read_text())
        content["training"] = [content["training"][0]] * count
        (tmp_path / f"{count}.json").write_text(json.dumps(content))
        return [f"DATA_ROOT={file.parent}", f"DATASET_JSON={tmp_path / f'{count}.json'}"]

    return give


def small(name: str) -> Config:
    """A public config, reduced, without the validation that this is not about."""
    config = reduced(public(name))
    del config["validate"]
    return config


def root_of(folder: Path, config: Config) -> Path:
    return build(folder / "mmar", PublicConfig("one", config))


def train(folder: Path, config: Config, settings: list[str]) -> TrainResult:
    return Archive(root_of(folder, config)).train(overrides=settings, device="cpu", seed=1)


def plan(folder: Path, config: Config, settings: list[str]) -> TrainPlan:
    return plan_training(root_of(folder, config), overrides=settings)


def sample(size: int = 8) -> Sample:
    image = torch.zeros(1, size, size, size)
    image[0, 2:5, 2:5, 2:5] = 1
    fields = {name: Volume(image, np.eye(4), channel="first") for name in ("image", "label")}
    return Sample(fields=fields, name="one")


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# 1. What an epoch is.


@pytest.mark.parametrize(
    ("name", "items", "changes", "steps"),
    [
        ("Performance/config/trn_base", 5, {}, 3),  # ceil(5 / 2): the list, the last batch smaller
        ("Performance/config/trn_cache", 5, {"num_cache_objects": 4}, 2),  # the cached items only
        ("Performance/config/trn_BT", 5, {}, 5),  # one volume a step
        ("Performance/config/trn_BT_cache_TrnV2", 5, {"num_cache_objects": 3}, 3),
        ("Performance/config/trn_BT_cache", 5, {"num_cache_objects": 4}, 2),
    ],
)
def test_01_an_epoch_covers_the_list_or_the_cache_or_a_volume_a_step(  # noqa: PLR0917  rows of a table
    name: str, items: int, changes: dict[str, Any], steps: int, tmp_path: Path, listed: Listed
) -> None:
    config = small(name)
    config["train"]["image_pipeline"]["args"].update(changes)
    assert train(tmp_path, config, listed(items)).steps == steps


# 2. Batches by transforms.


def shapes(folder: Path, config: Config, settings: list[str]) -> list[tuple[int, ...]]:
    """The image of each batch of the first epoch."""
    planned = plan(folder, config, settings)
    pipeline = made(planned.image_pipeline)
    transforms = [made(step) for step in planned.pre_transforms]
    batch_transforms = [made(step) for step in planned.batch_transforms]
    with pipeline.bind(transforms=transforms, batch_transforms=batch_transforms, seed=1) as bound:
        bound.fill()
        return [tuple(batch.fields["image"].shape) for batch in bound.epoch(0)]


def test_02_the_batch_size_is_ignored_where_transforms_make_the_batch(tmp_path: Path, listed: Listed) -> None:
    config = small("Performance/config/trn_BT")
    config["train"]["image_pipeline"]["args"]["output_batch_size"] = 7
    config["train"]["pre_transforms"][5]["args"]["batch_size"] = 3
    assert shapes(tmp_path, config, listed(2)) == [(3, 1, 16, 16, 16)] * 2


def test_02_merged_batches_are_crops_times_items(tmp_path: Path, listed: Listed) -> None:
    config = small("Performance/config/trn_BT_cache")
    config["train"]["pre_transforms"][5]["args"]["batch_size"] = 3
    assert shapes(tmp_path, config, listed(4)) == [(6, 1, 16, 16, 16)] * 2


# 3. A hint for the processor.


def test_03_batches_to_gen_at_once_never_multiplies_steps(tmp_path: Path, listed: Listed) -> None:
    config = small("Performance/config/trn_BT")
    assert config["train"]["pre_transforms"][5]["args"]["batches_to_gen_at_once"] == 48
    assert train(tmp_path, config, listed(3)).steps == 3


# 4. A declared size.


def test_04_the_declared_size_does_not_crop_and_validation_sees_whole_volumes(tmp_path: Path, listed: Listed) -> None:
    planned = plan(tmp_path, reduced(public("Performance/config/trn_base")), listed(1))
    assert planned.validate is not None
    pipeline = made(planned.validate.image_pipeline)
    assert pipeline.output_crop_size == (16, 16, 16)
    with pipeline.bind(transforms=[made(step) for step in planned.validate.pre_transforms], seed=1) as bound:
        assert [whole["image"].spatial_shape for whole in bound.samples()] == [(24, 24, 24)] * 2


# 5. What is cropped.


def test_05_the_label_is_cropped_although_only_the_image_is_named() -> None:
    cropped = FastCropByPosNegRatio((4, 4, 4), "image", label_field="label", batch_size=2)(sample(), dice())
    assert cropped["label"].data.shape == cropped["image"].data.shape == (2, 1, 4, 4, 4)
    assert torch.equal(cropped["label"].data, cropped["image"].data)


def test_05_one_crop_of_interest_has_no_batch_axis() -> None:
    cropped = FastPosNegRatioCropROI((4, 4, 4), "image", label_field="label")(sample(), dice())
    assert cropped["image"].data.shape == (1, 4, 4, 4)
    batched = FastPosNegRatioCropROI((4, 4, 4), "image", label_field="label", batch_size=1)(sample(), dice())
    assert batched["image"].data.shape == (1, 1, 4, 4, 4)


# 6. Crops larger than the volume.


def test_06_a_crop_larger_than_the_volume_is_padded() -> None:
    cropped = FastPosNegRatioCropROI((6, 12, 12), "image", label_field="label")(sample(), dice())
    assert cropped["image"].data.shape == (1, 6, 12, 12)


def test_06_as_the_numpy_example_needs_it(tmp_path: Path, listed: Listed) -> None:
    config = small("GettingStarted/trn_base")
    config["train"]["pre_transforms"] = [
        step for step in config["train"]["pre_transforms"] if not step["name"].startswith(("Scale", "Random"))
    ]
    assert shapes(tmp_path, config, listed(2)) == [(2, 1, 16, 16, 16)]  # the file has 12 slices


# 7. Probabilities.


def test_07_models_give_probabilities_and_losses_take_them() -> None:
    torch.manual_seed(0)
    network = SegResnet(3, blocks_down=(1, 1), blocks_up=(1,), init_filters=4)
    probabilities = network(torch.rand(2, 1, 8, 8, 8))
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2, 8, 8, 8))
    target = torch.zeros(1, 1, 1, 1, 2)
    target[..., 1] = 1
    sure = torch.tensor([[[[[1.0, 0.0]]], [[[0.0, 1.0]]]]])  # exactly right: an activation on top would spoil it
    for loss in (Dice(), CrossEntropy(), Focal()):
        assert float(loss(sure, target)) == pytest.approx(0.0, abs=1e-5)


# 8. Dice.


def test_08_an_absent_class_costs_one_and_the_mean_is_over_items_and_classes() -> None:
    target = torch.zeros(2, 1, 1, 1, 4)
    probabilities = torch.zeros(2, 2, 1, 1, 4)
    probabilities[:, 0] = 1
    assert float(Dice()(probabilities, target)) == pytest.approx(0.5, abs=1e-5)  # background right, foreground absent
    assert float(Dice(skip_background=True)(probabilities, target)) == pytest.approx(1.0)
    assert float(Dice(skip_background=True, top_smooth=1e-5)(probabilities, target)) == pytest.approx(0.0)


def test_08_jaccard_keeps_two_on_top() -> None:
    target = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 1, 1, 4)
    foreground = torch.tensor([0.5, 1.0, 0.5, 0.0]).reshape(1, 1, 1, 1, 4)
    probabilities = torch.cat([1 - foreground, foreground], dim=1)
    overlap, both = 1.5, 4.0
    found = float(Dice(skip_background=True, jaccard=True)(probabilities, target))
    assert found == pytest.approx(1 - 2 * overlap / (both - overlap), abs=1e-5)


# 9. A cache without replacement, or larger than the list.


@pytest.mark.parametrize(("objects", "steps"), [(32, 4), (3, 3)])
def test_09_a_cache_may_replace_nothing_and_may_be_larger_than_the_list(
    objects: int, steps: int, tmp_path: Path, listed: Listed
) -> None:
    config = small("Performance/config/trn_BT_cache_TrnV2")
    args = config["train"]["image_pipeline"]["args"]
    args.update(num_cache_objects=objects)
    assert args["replace_percent"] == 0.0
    config["epochs"] = 2
    assert train(tmp_path, config, listed(4)).steps == 2 * steps


def test_09_the_part_to_replace_is_a_fraction() -> None:
    assert replaced_per_epoch(100, num_cache_objects=50, replace_percent=0.1) == 5
    assert replaced_per_epoch(8, num_cache_objects=32, replace_percent=0.25) == 0


# 10. The window of a smart cache.


def test_10_the_window_runs_over_the_list() -> None:
    windows = [window_of(epoch, [1, 2, 3, 4, 5], cached=4, replaced=1) for epoch in range(4)]
    assert windows == [[1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 1], [4, 5, 1, 2]]
    assert replaced_per_epoch(25, num_cache_objects=15, replace_percent=0.2) == 3


def test_10_the_longest_deterministic_beginning_is_cached(tmp_path: Path, listed: Listed) -> None:
    planned = plan(tmp_path, small("Performance/configDemo/trn1_BT_cache"), listed(1))
    kinds = [made(step).deterministic for step in planned.pre_transforms]
    assert kinds == [True] * 5 + [False] * 4


def test_10_brought_code_counts_as_deterministic_unless_it_says_otherwise(
    tmp_path: Path, dataset: Callable[[str], Path]
) -> None:
    one = public("GettingStarted/trn_BYOC_transform")
    silent = one.custom["myTransformation.py"].partition("    def is_deterministic")[0]
    for number, (text, deterministic) in enumerate([(one.custom["myTransformation.py"], False), (silent, True)]):
        brings = PublicConfig(one.name, one.config, custom={"myTransformation.py": text})
        root = build(tmp_path / str(number), brings)
        planned = plan_training(root, overrides=data_settings(dataset("spleen")), allow_custom_code=True)
        step = next(step for step in planned.pre_transforms if step.name == "MyAddRandomConstant")
        assert made(step, archive=planned.archive).deterministic is deterministic


# 11. The best model.


def test_11_a_loss_is_negated_to_choose_by_and_the_start_is_lower_than_any(
    tmp_path: Path, dataset: Callable[[str], Path]
) -> None:
    config = reduced(public("GettingStarted/trn_base"))
    config["epochs"] = 2
    config["validate"]["metrics"] = [component("ComputeAverage", name="loss", field="negloss", is_key_metric=True)]
    root = root_of(tmp_path, config)
    result = Archive(root).train(overrides=data_settings(dataset("spleen")), device="cpu", seed=1)
    assert -1e6 < result.best_metric < 0
    assert load_weights(root / "models" / "model").card["epoch"] == result.best_epoch
    assert load_weights(root / "models" / "model_final").card["epoch"] == 2


@pytest.mark.parametrize(("epochs", "interval", "validated"), [(5, 2, [2, 4, 5]), (1, 20, [1]), (4, 2, [2, 4])])
def test_11_epochs_are_counted_from_one_and_the_end_is_validated(
    epochs: int, interval: int, validated: list[int], tmp_path: Path, dataset: Callable[[str], Path]
) -> None:
    config = {**reduced(public("AutoML/trn_autoML_Enum")), "num_training_epoch_per_valid": interval}
    root = root_of(tmp_path, {**config, "epochs": epochs})
    Archive(root).train(overrides=data_settings(dataset("spleen")), device="cpu", seed=1)
    history = [json.loads(line) for line in (root / "models" / "history.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in history if line["kind"] == "validation"] == validated


# 12. Rates.


def test_12_the_rate_is_never_scaled(tmp_path: Path, listed: Listed) -> None:
    planned = plan(tmp_path, small("Performance/config/trn_novograd_4gpu"), listed(1))
    assert planned.multi_gpu
    optimizer = made(planned.optimizer)([torch.nn.Parameter(torch.ones(1))], planned.learning_rate)
    assert optimizer.param_groups[0]["lr"] == 2e-3


def test_12_novograd_keeps_the_rate_inside_its_momentum() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = NovoGrad()([weight], 0.1)
    for rate in (0.1, 0.0):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.tensor([2.0])
        optimizer.step()
    # the first step moves by 0.1; the second adds nothing, and the momentum still moves by 0.95 of it
    assert float(weight.detach()) == pytest.approx(1 - 0.1 - 0.095, abs=1e-6)
    assert (NovoGrad().beta1, NovoGrad().beta2) == (0.95, 0.98)


# 13. Narrow networks and noise.


def test_13_eight_groups_on_two_filters_are_clamped() -> None:
    network = SegResnet(2, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1), init_filters=2, use_group_normG=8)
    assert network(torch.rand(1, 1, 16, 16, 16)).shape == (1, 2, 16, 16, 16)


def test_13_noise_is_told_by_its_variance() -> None:
    zeros = Sample(fields={"image": Volume(torch.zeros(1, 64, 64, 64), np.eye(4), channel="first")})
    noisy = AddGaussianNoise("image", probability=1.0)(zeros, dice())
    assert float(noisy["image"].data.var()) == pytest.approx(0.1, rel=0.02)


# 14. Evaluation.


def test_14_the_weights_carry_the_network_and_an_absent_class_is_no_number(
    tmp_path: Path, dataset: Callable[[str], Path]
) -> None:
    settings = data_settings(dataset("spleen"))
    root = root_of(tmp_path, reduced(public("GettingStarted/trn_base")))
    evaluation = EVALUATIONS["GettingStarted/config_validation"].config
    assert "model" not in evaluation
    assert "ref" not in json.dumps(evaluation)
    (root / "config" / "config_validation.json").write_text(json.dumps(shrunk(evaluation)))
    Archive(root).train(overrides=settings, device="cpu", seed=1)
    (root / "config" / "config_train.json").unlink()  # the architecture lies beside the weights
    Archive(root).evaluate(overrides=settings, device="cpu")
    report = json.loads((root / "eval" / "metrics.json").read_text())
    text = json.dumps(report)
    assert "mean_dice_class1" in text
    assert "mean_dice_class2" in text
    raw = (root / "eval" / "mean_dice_class2_raw_results.txt").read_text().splitlines()[1:]
    assert all(line.split("\t")[-1] in {"nan", ""} for line in raw)


def test_14_finished_subjects_are_not_predicted_again(tmp_path: Path, dataset: Callable[[str], Path]) -> None:
    settings = data_settings(dataset("spleen"))
    root = root_of(tmp_path, reduced(public("GettingStarted/trn_base")))
    evaluation = EVALUATIONS["GettingStarted/config_validation"].config
    (root / "config" / "config_validation.json").write_text(json.dumps(shrunk(evaluation)))
    Archive(root).train(overrides=settings, device="cpu", seed=1)
    written = root / "eval" / "image_4" / "image_4_pred_class1.nii.gz"
    Archive(root).infer(overrides=settings, device="cpu")
    before = written.stat().st_mtime_ns
    Archive(root).infer(overrides=settings, device="cpu", resume=True)
    assert written.stat().st_mtime_ns == before


# 15. Parsing.


def test_15_everything_that_v3_reads_is_read(tmp_path: Path, listed: Listed) -> None:
    config = small("AutoML/W1_1_J1/trn_autoML_Loss_Optimizer")
    config["train"]["__model"] = {"name": "NoSuchModel"}
    config["train"]["model"]["args"].update(blocks_down="1,1", blocks_up=[1], use_vae="false")
    config["train"]["pre_transforms"][8]["disabled"] = "true"
    config["learning_rate"] = "1e-4"
    planned = plan(tmp_path, config, [*listed(1), "epochs=3"])
    assert (planned.loss.name, planned.optimizer.name) == ("Focal", "NovoGrad")
    assert (planned.epochs, planned.learning_rate) == (3, 1e-4)
    args = planned.model.args
    assert (args["blocks_down"], args["blocks_up"], args["use_vae"]) == ((1, 1), (1,), False)
    assert "ScaleIntensityOscillation" not in [step.name for step in planned.pre_transforms]


@pytest.mark.parametrize(
    ("environment", "settings", "rate"),
    [({}, [], 1e-4), ({"learning_rate": 0.5}, [], 0.5), ({"learning_rate": 0.5}, ["learning_rate=2e-3"], 2e-3)],
)
def test_15_set_goes_before_the_environment_and_that_before_the_config(
    environment: dict[str, Any], settings: list[str], rate: float, tmp_path: Path, listed: Listed
) -> None:
    one = PublicConfig("one", small("GettingStarted/trn_base"), environment=environment)
    root = build(tmp_path / "mmar", one)
    assert math.isclose(plan_training(root, overrides=[*listed(1), *settings]).learning_rate, rate)


def test_15_aliases_are_referred_to_across_sections_and_disabled_ones_are_dropped(
    tmp_path: Path, listed: Listed
) -> None:
    config = reduced(public("Performance/config/trn_base"))
    config["train"]["pre_transforms"][2]["disabled"] = True
    planned = plan(tmp_path, config, listed(1))
    assert planned.validate is not None
    assert [step.handle for step in planned.validate.pre_transforms] == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleLb",
        "ScaleIntensityRange",
    ]


def test_the_merged_form_without_a_cache_is_legal(tmp_path: Path, listed: Listed) -> None:
    config = small("Performance/config/trn_base")
    config["train"]["pre_transforms"][5] = crop_fast(16, 2)
    config["train"]["batch_transforms"] = merge()
    assert train(tmp_path, config, listed(3)).steps == 2
