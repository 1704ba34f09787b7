"""What is wrong with components, and with patterns of frozen parameters, is told before data is read."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import make_archive, make_data, read_config, write_config
from vesalia.datatools.rehearsal import rehearse_plan
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_evaluation, plan_training


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A sound archive."""
    return make_archive(tmp_path / "archive", make_data(tmp_path / "data"))


def test_sound_plans_pass(archive: Path) -> None:
    rehearse_plan(plan_training(archive, overrides=["frozen_parameters=network.convInit.*"]))
    rehearse_plan(plan_evaluation(archive))


def test_a_pattern_that_matches_nothing_is_told_with_the_near_name(archive: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        rehearse_plan(plan_training(archive, overrides=["frozen_parameters=network.convInt.*"]))
    (fault,) = caught.value.faults
    assert (fault.file, fault.key) == ("config/config_train.json", "frozen_parameters")
    assert fault.write == '"network.convInit.*" (did you mean this?)'


MONAI_UNET = {
    "path": "monai.networks.nets.UNet",
    "args": {"out_channels": 2, "channels": [4, 8, 8], "strides": [2, 2]},
}


@pytest.mark.parametrize(
    ("model", "size", "divisor"),
    [
        (None, [17, 17, 17], 2),
        ({"name": "SegAhnet", "args": {"num_classes": 2}}, [16, 16, 16], 32),
        (MONAI_UNET, [10, 8, 8], 4),
    ],
)
def test_a_crop_that_the_network_cannot_take(
    archive: Path, model: dict[str, Any] | None, size: list[int], divisor: int
) -> None:
    config = read_config(archive)
    config["train"]["model"] = model or config["train"]["model"]
    crop = next(index for index, step in enumerate(config["train"]["pre_transforms"]) if "size" in step["args"])
    config["train"]["pre_transforms"][crop]["args"]["size"] = size
    write_config(archive, config)
    with pytest.raises(ConfigError) as caught:
        rehearse_plan(plan_training(archive))
    (fault,) = caught.value.faults
    assert (fault.file, fault.key) == ("config/config_train.json", f"train.pre_transforms[{crop}].args.size")
    assert fault.found == f"an image of {size} voxels"
    assert fault.expected == f"multiples of {divisor} along each axis, as train.model takes"
    assert fault.write.startswith("a crop size such as [")


def test_images_that_are_not_cut_are_left_to_the_data(archive: Path) -> None:
    config = read_config(archive)
    steps = config["train"]["pre_transforms"]
    config["train"]["pre_transforms"] = [step for step in steps if "size" not in step["args"]]
    write_config(archive, config)
    rehearse_plan(plan_training(archive))


def test_a_class_of_a_library_that_is_refused_is_told_at_its_path(archive: Path) -> None:
    config = read_config(archive)
    for optimizer, key in (
        ({"path": "torch.optim.LBFGS"}, "train.optimizer.path"),
        ({"name": "LibraryOptimizer", "args": {"path": "torch.optim.LBFGS"}}, "train.optimizer.args.path"),
    ):
        config["train"]["optimizer"] = optimizer
        write_config(archive, config)
        with pytest.raises(ConfigError) as caught:
            rehearse_plan(plan_training(archive))
        assert [fault.key for fault in caught.value.faults] == [key]
