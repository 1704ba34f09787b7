"""A component object: its class, its attributes, and code that an archive brings along."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import TRAIN, changed, lines, make, training
from vesalia.errors import ConfigError, CustomCodeRefused
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_training

LOSS = "config/config_train.json: train.loss"
CUSTOM = """
from vesalia.components.losses.dice import Dice
raise SystemExit("reading a config runs nothing")
class MyLoss(Dice):
    def __init__(self, weight: float, *, mode: str = "a") -> None: pass
"""


def faults(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        training(root, **changes)
    return lines(caught.value)


def custom(root: Path, code: str = CUSTOM, *, allow: bool = True, **changes: Any) -> TrainPlan:
    loss = {"path": "my_loss.MyLoss", "args": {"weight": 2}}
    make(root, train=changed(TRAIN, train__loss=loss, **changes))
    (root / "custom").mkdir()
    (root / "custom" / "my_loss.py").write_text(code)
    return plan_training(root, allow_custom_code=allow)


def custom_faults(root: Path, code: str = CUSTOM, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        custom(root, code, **changes)
    return lines(caught.value)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("Dice", f'{LOSS}: found "Dice", expected a loss as an object; write {{"name": "Dice"}}'),
        (3, f'{LOSS}: found 3, expected a loss as an object; write {{"name": "...", "args": {{}}}}'),
        ({}, f'{LOSS}.name: found nothing, expected the name of a loss as text; write "name": "..."'),
        ({"name": 3}, f'{LOSS}.name: found 3, expected the name of a loss as text; write "name": "..."'),
        ({"name": " "}, f'{LOSS}.name: found " ", expected the name of a loss as text; write "name": "..."'),
        (
            {"name": "Dise"},
            f'{LOSS}.name: found "Dise", expected the name of a loss; write "Dice" (did you mean this?)',
        ),
        (
            {"name": "Zzzz"},
            (
                f'{LOSS}.name: found "Zzzz", expected the name of a loss; write a name from the docs, or "path": '
                '"module.Class" for code in the archive\'s custom folder'
            ),
        ),
        ({"name": "Unet"}, f'{LOSS}.name: found "Unet", expected a loss (Unet is a model); write the name of a loss'),
        (
            {"nam": "Dice"},
            f"{LOSS}.nam: found the key nam, expected a key that is read here; write name (did you mean this?)",
        ),
        (
            {"name": "Dice", "arg": {}},
            f"{LOSS}.arg: found the key arg, expected a key that is read here; write args (did you mean this?)",
        ),
        (
            {"name": "Dice", "disabled": "maybe"},
            f'{LOSS}.disabled: found "maybe", expected true or false; write true',
        ),
        (
            {"name": "Dice", "disabled": "true"},
            f'{LOSS}: found a disabled one, expected a loss; write "loss": {{"name": "...", "args": {{}}}}',
        ),
        (
            {"ref": "Dice"},
            (
                f'{LOSS}.ref: found "Dice", expected a loss in full (ref is read in lists of transforms only); write '
                '{"name": "...", "args": {}}'
            ),
        ),
        (
            {"path": "no.such.Thing"},
            (
                f'{LOSS}.path: found "no.such.Thing", expected a file custom/no/such.py with the class Thing; write '
                f"the "
                "file there, or the name of a component that ships"
            ),
        ),
        (
            {"path": "../evil.Thing"},
            (
                f'{LOSS}.path: found "../evil.Thing", expected module.Class: a class in the archive\'s custom folder; '
                'write "my_module.MyClass"'
            ),
        ),
        ({"path": "os.path"}, f'{LOSS}.path: found "os.path", expected a file custom/os.py with the class path'),
        (
            {"path": "vesalia.components.models.unet.Unet"},
            f'{LOSS}.path: found "Unet", expected a loss (Unet is a model)',
        ),
    ],
)
def test_one_fault_each(tmp_path: Path, loss: object, message: str) -> None:
    found = faults(tmp_path / "a", train__loss=loss)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_unknown_attributes_are_ignored_and_those_of_the_search_are_not_even_seen(tmp_path: Path) -> None:
    loss = {"name": "Dice", "comment": "x", "search": [{"bad": 1}], "apply": {}, "__args": {}, "args": {"__x": 1}}
    plan = training(tmp_path / "a", train__loss=loss)
    assert [warning.key for warning in plan.warnings] == ["train.loss.comment"]
    assert plan.raw["train"]["loss"] == {"name": "Dice", "comment": "x", "args": {}}


@pytest.mark.parametrize(
    ("loss", "handle"),
    [
        ({"path": "vesalia.components.losses.dice.Dice"}, "Dice"),
        ({"path": "ai4med.components.losses.dice.Dice"}, "Dice"),
        ({"path": "Dice"}, "Dice"),
        ({"path": " Dice ", "name": "mine"}, "mine"),
        ({"name": "Dice#mine"}, "mine"),
        ({"name": "Dice", "disabled": "false"}, "Dice"),
        ({"name": "Dice", "args": None}, "Dice"),
        ({"name": "Dice", "disabled": False, "args": {"skip_background": "true"}}, "Dice"),
    ],
)
def test_ways_to_name_a_class(tmp_path: Path, loss: dict[str, Any], handle: str) -> None:
    plan = training(tmp_path / "a", train__loss=loss)
    assert (plan.loss.name, plan.loss.handle) == ("Dice", handle)
    assert plan.loss.target.origin == "builtin"
    assert plan.loss.argument("skip_background") is bool(loss.get("args"))
    assert plan.loss.argument("nothing", 3) == 3


def test_what_is_wrong_in_a_disabled_component_does_not_matter(tmp_path: Path) -> None:
    broken = {"name": "RandomZoom", "args": {"x": "{UNSET}"}, "disabled": "{OFF}"}
    plan = training(
        tmp_path / "a", "OFF=true", train__pre_transforms__2=broken, validate__pre_transforms=[{"ref": "RandomZoom"}]
    )
    assert [step.name for step in plan.pre_transforms] == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "FastPosNegRatioCropROI",
        "RandomSpatialFlip",
    ]


@pytest.mark.parametrize(
    "broken", [{"disabled": True}, {"name": 3, "disabled": True}, {"path": "a.B", "disabled": True}]
)
def test_disabled_components_need_no_name(tmp_path: Path, broken: dict[str, Any]) -> None:
    assert training(tmp_path / "a", train__handlers=[broken]).handlers == ()


def test_an_unset_switch_is_one_fault(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", train__loss__disabled="{OFF}")
    assert [line.partition(", which")[0] for line in found] == [f"{LOSS}.disabled: found the variable {{OFF}}"]


def test_references_have_a_name_and_no_arguments(tmp_path: Path) -> None:
    references = [{"ref": 3}, {"ref": "LoadNifti", "args": {"a": 1}}, {"ref": " ScaleImg ", "args": {}}]
    found = faults(tmp_path / "a", validate__pre_transforms=references)
    assert found == [
        'config/config_train.json: validate.pre_transforms[0].ref: found 3, expected a name or alias; write "ScaleImg"',
        (
            'config/config_train.json: validate.pre_transforms[1].args: found {"a": 1}, expected no args beside ref '
            "(a reference uses the same arguments); write the transform in full"
        ),
    ]


def test_code_of_the_archive_is_refused_unless_allowed(tmp_path: Path) -> None:
    with pytest.raises(CustomCodeRefused) as caught:
        custom(tmp_path / "a", allow=False)
    assert lines(caught.value) == [
        (
            f"{LOSS}.path: found code that the archive brings along (custom/my_loss.py), expected leave to run "
            f"it; write "
            "--allow-custom-code if you have read it and trust it"
        )
    ]
    plan = custom(tmp_path / "b")
    assert (plan.loss.target.origin, plan.loss.name, plan.loss.args) == ("custom", "MyLoss", {"weight": 2.0})
    assert plan.loss.defaults == {"mode": "a"}


def test_code_of_the_archive_is_checked_all_the_same(tmp_path: Path) -> None:
    found = custom_faults(tmp_path / "a", allow=False, train__loss__args={"weihgt": 2})
    assert found[0].startswith(
        f"{LOSS}.args.weihgt: found an argument that does not exist, expected one of weight, mode"
    )
    assert "weight (did you mean this?)" in found[0]
    assert "--allow-custom-code" in found[1]
    assert len(found) == 2


def test_tensorflow_code_is_refused_with_what_to_port(tmp_path: Path) -> None:
    found = custom_faults(tmp_path / "a", "import tensorflow as tf\nclass MyLoss: pass\n")
    assert found == [
        (
            f"{LOSS}.path: found my_loss.MyLoss, which builds on tensorflow (custom/my_loss.py, line 1), expected a "
            "loss in PyTorch; write a class on vesalia.components.losses.base.Loss, called with (probabilities, "
            "target) (docs/how-to/add-a-loss.md)"
        )
    ]


def test_transforms_have_a_port_of_their_own(tmp_path: Path) -> None:
    make(
        tmp_path / "a",
        train=changed(TRAIN, train__pre_transforms__2={"name": "X", "path": "mine.X"}, validate__pre_transforms=[]),
    )
    (tmp_path / "a" / "custom").mkdir()
    (tmp_path / "a" / "custom" / "mine.py").write_text("import keras\n")
    with pytest.raises(ConfigError, match=r"vesalia\.transforms\.base\.Deterministic"):
        plan_training(tmp_path / "a")


V3_TRANSFORM = """\
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
import numpy as np

class Shift(MultiFieldTransformer):
    def transform(self, ctx):
        return np.random.rand()
"""


def with_shift(root: Path, code: str, **args: Any) -> TrainPlan:
    shift = {"path": "shift.Shift", "args": {"fields": "image", **args}}
    make(root, train=changed(TRAIN, train__pre_transforms__4=shift))
    (root / "custom").mkdir()
    (root / "custom" / "shift.py").write_text(code)
    return plan_training(root, allow_custom_code=True)


def test_a_transform_for_v3_is_checked_by_the_base_that_it_builds_on(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"args\.feilds: found an argument that does not exist, expected one of fields"
    ):
        with_shift(tmp_path / "a", V3_TRANSFORM, feilds="image")
    plan = with_shift(tmp_path / "b", V3_TRANSFORM + "    def is_deterministic(self): return False\n")
    assert plan.pre_transforms[4].args == {"fields": "image"}
    assert not [warning for warning in plan.warnings if "is_deterministic" in warning.write]


def test_dice_that_a_cache_would_freeze_are_a_warning(tmp_path: Path) -> None:
    (warning,) = [each for each in with_shift(tmp_path / "a", V3_TRANSFORM).warnings if "shift" in each.found]
    assert str(warning) == (
        "config/config_train.json: train.pre_transforms[4].path: found shift.Shift, which uses random numbers and has "
        "no method is_deterministic, expected one that gives False: without it, v3's code counts as deterministic, and "
        "a cache keeps what it drew the first time; write def is_deterministic(self): return False"
    )


def test_names_of_v3_that_are_not_here_are_told_by_name(tmp_path: Path) -> None:
    lost = "from ai4med.common.image import MedicalImage\nfrom ai4med.utils.image_utils import crop\n"
    with pytest.raises(ConfigError) as caught:
        with_shift(tmp_path / "a", V3_TRANSFORM + lost)
    moved, gone = lines(caught.value)
    assert moved.startswith(
        "config/config_train.json: train.pre_transforms[4].path: found shift.Shift, which imports "
        "ai4med.common.image.MedicalImage (custom/shift.py, line 7), expected names of v3 that are here: "
    )
    assert moved.endswith("; write from ai4med.common.medical_image import MedicalImage")
    assert gone.endswith("; write your own code for it, or one of these")


def test_torn_code_and_missing_classes_are_faults(tmp_path: Path) -> None:
    assert custom_faults(tmp_path / "a", "class MyLoss(:\n")[0].startswith(
        f"{LOSS}.path: found custom/my_loss.py, which is not Python (line 1: "
    )
    assert custom_faults(tmp_path / "b", "class Other: pass\n") == [
        (
            f"{LOSS}: found my_loss.MyLoss, which custom/my_loss.py does not define, expected the class of a "
            f"loss; write a "
            "class that it defines"
        )
    ]


@pytest.mark.parametrize(
    ("slot", "path", "words"),
    [
        ("lr_policy", "torch.optim.lr_scheduler.StepLR", "a learning-rate policy that ships or lies in custom/"),
        ("aux_ops", "monai.metrics.DiceMetric", "an auxiliary operation that ships or lies in custom/"),
    ],
)
def test_a_librarys_class_where_the_slot_takes_none(tmp_path: Path, slot: str, path: str, words: str) -> None:
    node = {"path": path}
    (message,) = faults(tmp_path / "a", **{f"train__{slot}": [node] if slot.endswith("s") else node})
    assert f'found "{path}", expected {words} (by path come model, loss, optimizer of a library)' in message
    assert "write the name of one that ships, or a class on vesalia.components." in message
